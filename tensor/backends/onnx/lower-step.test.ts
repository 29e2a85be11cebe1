// A decoding step in few nodes: what is joined, counted in the nodes of two layers.

import { expect, test } from "vitest";
import { stepGraph } from "../../decode/graphs.ts";
import { optimize } from "../../ir/passes/optimize.ts";
import { tinyConfig, tinyParams } from "../../models/testing.ts";
import { cpuLowerings } from "./lower-cpu.ts";
import { isStep, stepLowerings } from "./lower-step.ts";
import { lowerWith } from "./lowering.ts";
import { stackProjections } from "./stack.ts";

const config = { ...tinyConfig, head_dim: 16 };
const graph = optimize(stepGraph(config, 2, 64));

function counts(nodes: readonly { readonly op: string }[]): Record<string, number> {
  const wanted = ["FusedMatMul", "Transpose", "Add", "RotaryEmbedding", "Reshape"];
  const count = (op: string) => nodes.filter((node) => node.op === op).length;
  return Object.fromEntries(wanted.map((op) => [op, count(op)]));
}

test("as any other graph: 7 products a layer and the head's, 2 additions, 2 rotations", () => {
  expect(isStep(graph)).toBe(true);
  expect(counts(lowerWith(cpuLowerings, graph).nodes)).toMatchObject({
    FusedMatMul: 15,
    Transpose: 0,
    Add: 4,
  });
});

test("live: every product turned, additions in the norms, rotations in attention", () => {
  const { nodes } = lowerWith(stepLowerings({ narrow: true, frozen: false }), graph);
  // A layer reshapes q, k and v on the way into attention, and its result.
  const reshapes = 2 * 4;
  expect(counts(nodes)).toEqual({
    FusedMatMul: 15,
    Transpose: 15,
    Add: 0,
    RotaryEmbedding: 0,
    Reshape: reshapes,
  });
});

test("live with more than 16 rows: products as in any other graph", () => {
  const { nodes } = lowerWith(stepLowerings({ narrow: false, frozen: false }), graph);
  expect(counts(nodes)).toMatchObject({ FusedMatMul: 15, Transpose: 0, Add: 0 });
});

test("frozen: q, k and v are one product, 5 a layer and the head's", () => {
  const lowered = lowerWith(stepLowerings({ narrow: true, frozen: true }), graph);
  const weights = Object.fromEntries(
    Object.entries(tinyParams()).map(([name, { data }]) => [`in:p/${name}`, data]),
  );
  const { model } = stackProjections(lowered, weights);
  expect(counts(model.nodes)).toEqual({
    FusedMatMul: 11,
    Transpose: 0,
    Add: 0,
    RotaryEmbedding: 0,
    Reshape: 4,
  });
  const attention = model.nodes.find(({ op }) => op === "GroupQueryAttention");
  expect(attention?.inputs.slice(1, 3)).toEqual(["", ""]);
});
