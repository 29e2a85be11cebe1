// The passes: what they remove, what they may not touch, and that values stay the same.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../../backends/reference/index.ts";
import { Builder } from "../builder.ts";
import { type Graph, reachable, type Value } from "../graph.ts";
import { optimize } from "./optimize.ts";

/** Names of the ops that are left, sources aside. */
function left(build: (b: Builder, x: Value, y: Value) => Value): string[] {
  const b = new Builder();
  const [x, y] = [b.input("x", [2, 3]), b.input("y", [2, 3])];
  const graph = optimize(b.finish({ out: build(b, x, y) }));
  return opsOf(graph);
}

const opsOf = (graph: Graph) =>
  reachable(Object.values(graph.outputs)).flatMap(({ op }) =>
    op === "input" || op === "constant" ? [] : [op],
  );

describe("removes", () => {
  test("x·1, x+0, x-0, x/1", () => {
    expect(left((b, x) => b.div(b.sub(b.add(b.mul(x, 1), 0), 0), 1))).toEqual([]);
  });

  test("arithmetic on constants: (2·3 - 1)·x is one mul", () => {
    expect(left((b, x) => b.mul(x, b.sub(b.mul(b.scalar(2), 3), 1)))).toEqual(["mul"]);
  });

  test("chains of constant factors, double negation and x + (-y)", () => {
    expect(left((b, x) => b.mul(b.mul(x, 2), 3))).toEqual(["mul"]);
    expect(left((b, x) => b.neg(b.neg(x)))).toEqual([]);
    expect(left((b, x, y) => b.add(x, b.neg(y)))).toEqual(["sub"]);
  });

  test("the same expression twice", () => {
    expect(left((b, x, y) => b.add(b.exp(b.mul(x, y)), b.exp(b.mul(x, y))))).toEqual(["mul", "exp", "add"]);
  });

  test("an expand that broadcasting does anyway", () => {
    expect(left((b, x) => b.mul(x, b.expand(b.sum(x, [1]), [2, 3])))).toEqual(["sum", "mul"]);
  });

  test("transposes into matmul, and pairs of transposes", () => {
    expect(left((b, x, y) => b.matmul(x, b.transpose(y, [1, 0])))).toEqual(["matmul"]);
    expect(left((b, x) => b.transpose(b.transpose(x, [1, 0]), [1, 0]))).toEqual([]);
  });

  test("a split of a concat, and a concat of a whole split", () => {
    expect(left((b, x, y) => b.split(b.concat([x, y], 0), 0, [2, 2])[1]!)).toEqual([]);
    expect(left((b, x) => b.concat(b.split(x, 1, [1, 2]), 1))).toEqual([]);
  });
});

describe("keeps", () => {
  test("what is behind a barrier apart: that is how recomputation is asked for", () => {
    expect(left((b, x) => b.add(b.exp(x), b.exp(b.barrier(x))))).toEqual(["exp", "barrier", "exp", "add"]);
  });

  test("matmuls of different alpha, and long constants of different arrays", () => {
    const twice = (b: Builder, x: Value, y: Value) =>
      b.add(b.matmul(x, y, { transB: true, alpha: 2 }), b.matmul(x, y, { transB: true, alpha: 3 }));
    expect(left(twice)).toEqual(["matmul", "matmul", "add"]);
    const ones = () => new Float32Array(12).fill(1);
    const constants = (b: Builder) => b.add(b.exp(b.constant(ones(), [12])), b.exp(b.constant(ones(), [12])));
    expect(left(constants)).toEqual(["exp", "exp", "add"]);
  });
});

test("random expressions have the same value before and after", async () => {
  type Tree = (b: Builder, leaves: readonly Value[]) => Value;
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: "medium", withCrossShrink: true },
      fc.nat(1).map(
        (i): Tree =>
          (_b, leaves) =>
            leaves[i]!,
      ),
      fc.constantFrom(0, 1, -1, 2).map(
        (c): Tree =>
          (b) =>
            b.expand(b.scalar(c), [2, 2]),
      ),
      fc.constantFrom(0, 1, -1, 2).map(
        (c): Tree =>
          (b, leaves) =>
            b.mul(leaves[0]!, c),
      ),
      fc.tuple(fc.constantFrom("add", "sub", "mul", "maximum"), tie("tree"), tie("tree")).map(
        ([op, f, g]): Tree =>
          (b, leaves) =>
            b[op as "add"](f(b, leaves), g(b, leaves)),
      ),
      fc.tuple(fc.constantFrom("neg", "tanh", "barrier"), tie("tree")).map(
        ([op, f]): Tree =>
          (b, leaves) =>
            b[op as "neg"](f(b, leaves)),
      ),
      tie("tree").map(
        (f): Tree =>
          (b, leaves) =>
            b.transpose(f(b, leaves), [1, 0]),
      ),
      fc.tuple(tie("tree"), tie("tree")).map(
        ([f, g]): Tree =>
          (b, leaves) =>
            b.matmul(b.transpose(f(b, leaves), [1, 0]), g(b, leaves)),
      ),
    ),
  }));
  const feeds = { x: Float64Array.of(0.5, -1, 2, 0.25), y: Float64Array.of(-0.3, 0.7, 1.5, -2) };
  await fc.assert(
    fc.asyncProperty(tree, async (build) => {
      const b = new Builder();
      const graph = b.finish({ out: build(b, [b.input("x", [2, 2]), b.input("y", [2, 2])]) });
      const [plain, slim] = await Promise.all(
        [true, false].map(async (verbatim) => {
          const run = await referenceBackend("f64").compile(graph, { verbatim });
          return (await run.run(feeds)).out!;
        }),
      );
      expect(opsOf(optimize(graph)).length).toBeLessThanOrEqual(opsOf(graph).length);
      plain!.forEach((x, i) => {
        expect(Math.abs(slim![i]! - x)).toBeLessThanOrEqual(1e-12 * Math.max(1, Math.abs(x)));
      });
    }),
    { numRuns: 150, seed: 11 },
  );
});
