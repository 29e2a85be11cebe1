// `align plan FILE`: what would run and what that takes, what is cached and why not, and where every value comes from.
import type { Plan, PlanTask } from "../../engine/index.ts";
import { type Estimates, estimateLine, estimatesOf, totalLine } from "../estimates.ts";
import { openPlan, type PipelineOptions } from "../pipeline.ts";
import { duration } from "../ui/format.ts";
import { origin } from "../ui/provenance.ts";
import { paint } from "../ui/terminal.ts";

export interface PlanCommandOptions extends PipelineOptions {
  readonly json?: boolean;
}

export async function plan(file: string, options: PlanCommandOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const estimates = await estimatesOf(opened);
  if (options.json)
    console.log(JSON.stringify({ ...opened.plan, estimates: Object.fromEntries(estimates) }, null, 2));
  else printPlan(opened.plan, estimates);
  return 0;
}

export function printPlan(plan: Plan, estimates: Estimates = new Map()): void {
  if (plan.doc) console.log(paint.dim(plan.doc));
  const firsts = new Map<string, PlanTask>();
  for (const task of plan.tasks) {
    const first = task.family && firsts.get(task.family.name);
    if (task.family && !first) firsts.set(task.family.name, task);
    console.log(
      `${mark(task)} ${paint.bold(task.id)}  ${task.calls.map((call) => call.op).join(" → ")}  ${paint.dim(standing(task))}`,
    );
    const estimate = estimates.get(task.id);
    if (estimate) console.log(`    ${paint.cyan(estimateLine(estimate))}`);
    for (const [i, call] of task.calls.entries()) {
      const chain = task.calls.length > 1 ? `${call.op}.` : "";
      for (const [name, value] of Object.entries(call.params)) {
        const shown = call.shown[name] ?? JSON.stringify(value);
        // Of the members of a family, the first shows everything and the others what differs.
        if (first && JSON.stringify(first.calls[i]?.params[name]) === JSON.stringify(value)) continue;
        console.log(`    ${chain}${name}: ${shorten(shown)}  ${paint.dim(origin(call.provenance[name]))}`);
      }
    }
  }
  const count = (state: PlanTask["state"]) => plan.tasks.filter((task) => task.state === state).length;
  const saved = plan.tasks.reduce((seconds, task) => seconds + (task.artifact?.seconds ?? 0), 0);
  console.log(
    `${plan.tasks.length} stages: ${count("cached")} cached (${duration(saved)} saved), ${count("will-run")} will run, ${count("waiting")} wait for them`,
  );
  if (estimates.size > 0) console.log(totalLine(estimates));
}

function mark(task: PlanTask): string {
  return task.state === "cached"
    ? paint.green("✓")
    : task.state === "will-run"
      ? paint.yellow("●")
      : paint.dim("○");
}

function standing(task: PlanTask): string {
  if (task.state === "cached") return `cached (${duration(task.artifact!.seconds)} saved)`;
  return `${task.state === "will-run" ? "will run" : "waits"}: ${task.reason}`;
}

function shorten(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 70 ? `${line.slice(0, 69)}…` : line;
}
