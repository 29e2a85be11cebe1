// `npm run claims -- flan --seeds 11,12,13 [--write]`: runs a recipe once for each seed, with its laptop profile if it has one, and says what
// became of its claims (every `expect`) and its reports; with --write in the document beside the recipe, between its markers.
import { readFileSync, writeFileSync } from "node:fs";
import os from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { execa } from "execa";
import type { Event } from "../engine/index.ts";
import { claimsText, type ExpectationChecked, type SeedRun } from "./claims-text.ts";
import { machine } from "./machine.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Wanted {
  readonly recipe: string;
  readonly profile: string;
  readonly store: readonly string[];
}

/** What is in the store already is not computed again: claims that were run can be written at any time. */
async function runSeed({ recipe, profile, store }: Wanted, seed: number): Promise<SeedRun> {
  const file = `pipelines/${recipe}.align`;
  const options = [
    ...(hasProfile(`${root}${file}`, profile) ? ["--profile", profile] : []),
    ...["--set", `seed=${seed}`, ...store],
  ];
  const before = os.loadavg()[1]!;
  const { stdout } = await align("run", file, ...options, "--json");
  const events = stdout.split("\n").map((line) => JSON.parse(line) as Event);
  const finished = events.find((event) => event.type === "run-finished");
  if (!finished || finished.failed > 0) throw new Error(`${file} did not run to its end with seed ${seed}`);
  const plan = events.find((event) => event.type === "plan");
  const tables = plan?.tasks.filter(({ ops }) => ["report", "frontier"].includes(ops.at(-1) ?? "")) ?? [];
  const reports = [];
  for (const { node } of tables) {
    const shown = await align("show", file, node, ...options, "--json", "--samples", "1000");
    const { samples, columns } = JSON.parse(shown.stdout);
    reports.push({ node, rows: samples, columns });
  }
  const made = events.filter((event) => event.type === "task-finished" || event.type === "task-cached");
  return {
    seed,
    expectations: events.filter((event): event is ExpectationChecked => event.type === "expectation"),
    reports,
    seconds: made.reduce((sum, event) => sum + event.seconds, 0),
    ...(finished.cached === 0 && { wall: finished.seconds, load: Math.max(before, os.loadavg()[1]!) }),
  };
}

/** Of its own, or of a file that it imports. */
function hasProfile(path: string, profile: string): boolean {
  const text = readFileSync(path, "utf8");
  if (new RegExp(`^profile ${profile} \\{`, "m").test(text)) return true;
  const imported = [...text.matchAll(/ from "(\.[^"]*)"/g)];
  return imported.some(([, of]) => hasProfile(join(dirname(path), of!), profile));
}

/** Exits with 3 where an `expect` does not hold, which is a result and no failure. */
async function align(...args: string[]) {
  const made = await execa(process.execPath, [`${root}cli/bin/align.js`, ...args], {
    cwd: root,
    reject: false,
    stdin: "ignore",
    stderr: "inherit",
    maxBuffer: 2 ** 30,
  });
  if (made.exitCode !== 0 && made.exitCode !== 3)
    throw new Error(`align ${args.join(" ")}: exit ${made.exitCode}`);
  return made;
}

function write(recipe: string, text: string): void {
  // `instructgpt/claims` belongs to the document of `instructgpt`.
  const name = `pipelines/${recipe.split("/")[0]}.md`;
  const path = `${root}${name}`;
  const document = readFileSync(path, "utf8");
  const [start, end] = ["<!-- claims: written by npm run claims -->", "<!-- end claims -->"];
  const [from, to] = [document.indexOf(start), document.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${name} has no "${start}" … "${end}"`);
  writeFileSync(path, `${document.slice(0, from)}${start}\n${text}\n${document.slice(to)}`);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string", default: "11,12,13" },
    profile: { type: "string", default: "laptop" },
    store: { type: "string" },
    write: { type: "boolean", default: false },
  },
});
const [recipe] = positionals;
if (!recipe) {
  console.error(
    "usage: npm run claims -- RECIPE [--seeds 11,12,13] [--profile laptop] [--store FOLDER] [--write]",
  );
  process.exit(2);
}
const store = values.store === undefined ? [] : ["--store", values.store];
const runs: SeedRun[] = [];
for (const seed of values.seeds.split(",").map(Number)) {
  runs.push(await runSeed({ recipe, profile: values.profile, store }, seed));
}
const text = claimsText(runs, machine());
if (values.write) write(recipe, text);
else console.log(text);
