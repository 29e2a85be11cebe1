// Writes the card of a published artifact: what it is, how it came to be, what was measured. No dates: same inputs, same card.
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Plan, PlannedArtifact, PlanTask } from "../engine/index.ts";
import { metric } from "./ui/format.ts";

/** As README.md, where model hubs look for it; returns its path. */
export async function writeCard(
  to: string,
  node: string,
  plan: Plan,
  artifacts: ReadonlyMap<string, PlannedArtifact>,
): Promise<string> {
  const path = join(to, "README.md");
  const text = card(node, plan, artifacts);
  if (!existsSync(path) || (await readFile(path, "utf8")) !== text) await writeFile(path, text);
  return path;
}

export function card(node: string, plan: Plan, artifacts: ReadonlyMap<string, PlannedArtifact>): string {
  const lineage = withAncestors(node, plan);
  const own = lineage.at(-1)!;
  const readers = plan.tasks.filter(
    (task) => task.needs.includes(node) && hasMetrics(artifacts.get(task.id)),
  );
  const lines = [
    "---",
    "library_name: transformers",
    "tags: [align]",
    "---",
    `# ${node}`,
    "",
    ...(own.doc ? [own.doc, ""] : []),
    `Made by the Align pipeline \`${plan.pipeline}\`${plan.profile ? `, profile \`${plan.profile}\`` : ""}.`,
    ...(plan.doc ? ["", plan.doc] : []),
    "",
    "## How it was made",
    "",
    "| stage | operation | parameters given |",
    "|---|---|---|",
    ...lineage.map(
      (task) => `| ${task.id} | ${task.calls.map(({ op }) => op).join(" → ")} | ${given(task)} |`,
    ),
    "",
    "Parameters that are not listed have their defaults.",
    ...[own, ...readers].flatMap((task) => metricsOf(task.id, artifacts.get(task.id))),
    "",
    "## Identity",
    "",
    `- artifact: \`sha256:${artifacts.get(node)?.tree ?? "?"}\``,
    `- numerics: \`${plan.numerics}\``,
  ];
  return `${lines.join("\n")}\n`;
}

/** Everything it was made from, in the order of the plan, itself last. */
function withAncestors(node: string, plan: Plan): PlanTask[] {
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const wanted = new Set<string>();
  const visit = (id: string) => {
    if (wanted.has(id)) return;
    wanted.add(id);
    tasks.get(id)?.needs.forEach(visit);
  };
  visit(node);
  return [...plan.tasks.filter(({ id }) => wanted.has(id) && id !== node), tasks.get(node)!];
}

function given(task: PlanTask): string {
  const texts = task.calls.flatMap((call) =>
    Object.entries(call.params)
      .filter(([name]) => call.provenance[name]?.from !== "default")
      .map(([name, value]) => `${name}: ${call.shown[name] ?? JSON.stringify(value)}`),
  );
  return texts.join(", ").replace(/\|/g, "\\|").replace(/\s+/g, " ");
}

function hasMetrics(artifact: PlannedArtifact | undefined): boolean {
  return artifact !== undefined && Object.keys(artifact.metrics).length > 0;
}

function metricsOf(node: string, artifact: PlannedArtifact | undefined): string[] {
  if (!artifact || !hasMetrics(artifact)) return [];
  const rows = Object.entries(artifact.metrics).map(([name, value]) => `| ${name} | ${metric(value)} |`);
  return ["", `## Measured by ${node}`, "", "| metric | value |", "|---|---|", ...rows];
}
