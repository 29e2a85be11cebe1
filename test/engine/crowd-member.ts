// One of many processes that run the same program over one store at once: node crowd-member.mjs DIR, events on stdout.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { operations } from "../../engine/fixtures/operations.ts";
import { createPlan, openStore, run } from "../../engine/index.ts";
import { inlineSpawn } from "../../engine/testing.ts";
import type { Program } from "../../grammar/index.ts";

const [dir = "."] = process.argv.slice(2);
const program = JSON.parse(readFileSync(join(dir, "program.json"), "utf8")) as Program;
// All begin when the last one is ready.
process.stdout.write("ready\n");
await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.destroy();
const store = openStore(join(dir, "store"));
const planned = await createPlan(program, { operations, store });
if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
for await (const event of run(planned.plan, { store, spawn: inlineSpawn(operations), jobs: 2 })) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}
