import Type from "typebox";
import { expect, test } from "vitest";
import { call, dataset, program, stage } from "../fixtures/program.ts";
import { defineSource, defineStage, defineTransform, type Operation } from "../operation.ts";
import { MemoryStore } from "../store/memory.ts";
import { MemoryFiles } from "../testing.ts";
import { estimatePlan, secondsOf } from "./estimate.ts";
import { createPlan } from "./graph.ts";

const any = { kind: "any" } as const;
const never = async () => {
  throw new Error("an estimate runs nothing");
};
const lines = defineSource(
  { name: "lines", version: 1, doc: "", params: Type.Object({ rows: Type.Integer() }), output: any },
  never,
  async () =>
    ({ params }) => ({ facts: { rows: params.rows } }),
);
const half = defineTransform(
  { name: "half", version: 1, doc: "", params: Type.Object({}), output: any },
  never,
  async () =>
    ({ before }) => ({ facts: { rows: (before.rows as number) / 2 } }),
);
const same = defineTransform(
  { name: "same", version: 1, doc: "", params: Type.Object({}), output: any },
  never,
);
const train = defineStage(
  {
    name: "train",
    version: 1,
    doc: "",
    inputs: [{ name: "data", type: any, doc: "" }],
    params: Type.Object({ broken: Type.Boolean({ default: false }) }),
    output: any,
  },
  never,
  async () =>
    ({ params, inputs }) => {
      if (params.broken) throw new Error("no such model\nat line 3");
      return { cost: { flops: 1e9 * (inputs.data![0]!.facts.rows as number), traffic: 5e9, memory: 7 } };
    },
);
const operations = new Map<string, Operation>([lines, half, same, train].map((op) => [op.name, op]));

async function estimates(...nodes: Parameters<typeof program>[1]) {
  const store = new MemoryStore(new MemoryFiles());
  const planned = await createPlan(program("/p/test.align", nodes), { operations, store });
  if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
  return estimatePlan(planned.plan, { operations, store });
}

const rows = dataset("rows", call("lines", {}, { rows: 40 }), call("same"), call("half"));

test("what is known of rows goes through transforms and other datasets to the stage that reads them", async () => {
  const found = await estimates(
    rows,
    dataset("fewer", "rows", call("half")),
    stage("tuned", call("train", { data: "fewer" }, { broken: false })),
  );
  expect(found.get("tuned")?.cost?.flops).toBe(1e9 * (40 / 2 / 2));
});

test("datasets cost nothing worth a line", async () => {
  expect([...(await estimates(rows)).keys()]).toEqual([]);
});

test("an estimate that fails says why in one line, and stops nothing", async () => {
  const found = await estimates(rows, stage("tuned", call("train", { data: "rows" }, { broken: true })));
  expect(found.get("tuned")).toEqual({ note: "no such model" });
});

test("time is what takes longer, arithmetic or memory", () => {
  const cost = { flops: 20e9, traffic: 5e9 };
  expect(secondsOf({ cost }, { flops: 10e9, bandwidth: 10e9 })).toBe(2);
  expect(secondsOf({ cost }, { flops: 100e9, bandwidth: 10e9 })).toBe(0.5);
  expect(secondsOf({ cost: { memory: 1 } }, { flops: 1, bandwidth: 1 })).toBeUndefined();
});
