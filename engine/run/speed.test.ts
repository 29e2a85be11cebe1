// What it costs when there is nothing to do. The budgets are several times what it takes on an idle machine.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Program, ProgramNode } from "../../grammar/index.ts";
import type { Event } from "../events.ts";
import { operations } from "../fixtures/operations.ts";
import { call, dataset, program, stage } from "../fixtures/program.ts";
import { summary } from "../fixtures/summary.ts";
import { createPlan } from "../plan/graph.ts";
import { keyOf } from "../plan/key.ts";
import { openStore, printRecord } from "../store/disk.ts";
import { run } from "./run.ts";

const dir = mkdtempSync(join(tmpdir(), "align-speed-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Some read the same data, the others what two stages before them made. */
function pipeline(size: number): Program {
  const nodes: ProgramNode[] = [dataset("prose", call("lines", {}, { paths: ["a.txt"] }))];
  for (let i = 1; i < size; i++) {
    const data = i < 10 ? "prose" : [`s${i - 7}`, `s${Math.floor(i / 2)}`];
    nodes.push(stage(`s${i}`, call("train", { data }, { beta: i })));
  }
  return program(join(dir, `${size}.align`), nodes, { name: `p${size}` });
}

/** As if everything had been built: all records are there, and share one artifact. */
async function fill(root: string, of: Program): Promise<void> {
  const store = openStore(root);
  const planned = await createPlan(of, { operations, store });
  if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
  const record = { ops: ["train"], keyTree: [], metrics: { loss: 1 }, seconds: 1 };
  const attempt = await store.begin({ key: "0".repeat(64), node: "first", run: "r" });
  writeFileSync(join(attempt.out, "weights.bin"), "weights");
  const { tree } = await attempt.commit({ ...record, key: "0".repeat(64) });
  for (const task of planned.plan.tasks) {
    const { key, tree: keyTree } = keyOf(task, () => tree, "");
    const path = join(root, "actions", key!.slice(0, 2), `${key}.json`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, printRecord({ ...record, key: key!, tree, keyTree }));
  }
  store.flush();
}

test.each([
  [15, 100],
  [1000, 500],
])("a run of %i cached tasks takes less than %i ms", async (size, budgetMs) => {
  writeFileSync(join(dir, "a.txt"), "one\n");
  const root = join(dir, `store-${size}`);
  await fill(root, pipeline(size));
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    const store = openStore(root);
    const planned = await createPlan(pipeline(size), { operations, store });
    if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
    const spawn = () => {
      throw new Error("nothing must run");
    };
    const events: Event[] = [];
    for await (const event of run(planned.plan, { store, spawn })) events.push(event);
    best = Math.min(best, performance.now() - started);
    expect(summary(events).cached).toHaveLength(size);
  }
  expect(best).toBeLessThan(budgetMs);
});
