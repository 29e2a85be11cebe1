// The optimiser, clipping and schedules by hand arithmetic.

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { Builder } from "../ir/builder.ts";
import { adamw } from "./adamw.ts";
import { clipScale, globalNorm } from "./clip.ts";
import { schedule } from "./schedule.ts";

describe("adamw", () => {
  /** One update of a 1x1 matrix or a vector of one. */
  async function update(
    shape: number[],
    options: { p: number; g: number; m?: number; v?: number; step?: number },
  ) {
    const { p, g, m = 0, v = 0, step = 1 } = options;
    const optimizer = adamw({ beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.5 });
    const b = new Builder();
    const scalars = Object.entries(optimizer.scalars(step, 0.1)).map(([k, x]) => [k, b.scalar(x)] as const);
    const next = optimizer.update(b, {
      param: b.constant([p], shape),
      gradient: b.constant([g], shape),
      slots: { m: b.constant([m], shape), v: b.constant([v], shape) },
      scalars: Object.fromEntries(scalars),
      gradScale: b.scalar(1),
    });
    const graph = b.finish({ p: next.param, m: next.slots.m!, v: next.slots.v! });
    const out = await (await referenceBackend("f64").compile(graph)).run({});
    return { p: out.p![0]!, m: out.m![0]!, v: out.v![0]! };
  }

  test("the first step moves by lr against the sign of the gradient, after decay", async () => {
    // m̂ = g, v̂ = g², so p = 2·(1 - 0.1·0.5) - 0.1·3/|3| = 1.9 - 0.1 = 1.8
    const { p, m, v } = await update([1, 1], { p: 2, g: 3 });
    expect(p).toBeCloseTo(1.8, 8);
    expect(m).toBeCloseTo(0.3, 12);
    expect(v).toBeCloseTo(0.09, 12);
  });

  test("vectors (norms, biases) do not decay", async () => {
    expect((await update([1], { p: 2, g: 3 })).p).toBeCloseTo(1.9, 8);
  });

  test("the second step corrects both moments", async () => {
    // m = 0.9·0.3 + 0.1·1 = 0.37, m̂ = 0.37/0.19; v = 0.99·0.09 + 0.01 = 0.0991, v̂ = 0.0991/0.0199
    const { p } = await update([1], { p: 2, g: 1, m: 0.3, v: 0.09, step: 2 });
    expect(p).toBeCloseTo(2 - (0.1 * (0.37 / 0.19)) / Math.sqrt(0.0991 / 0.0199), 8);
  });

  test("options outside their range are refused", () => {
    expect(() => adamw({ beta1: 1 })).toThrow("betas 1, 0.999");
    expect(() => adamw({ weight_decay: -1 })).toThrow("weight_decay -1");
  });
});

test("the global norm is over all gradients together, and clipping scales down only", async () => {
  const b = new Builder();
  const norm = globalNorm(b, [b.constant([1, 2], [2]), b.constant([2, 4], [1, 2])]); // √(1+4+4+16) = 5
  const graph = b.finish({ norm, tight: clipScale(b, norm, 1), loose: clipScale(b, norm, 10) });
  const out = await (await referenceBackend("f64").compile(graph)).run({});
  expect(out.norm![0]).toBe(5);
  expect(out.tight![0]).toBeCloseTo(1 / 5, 6);
  expect(out.loose![0]).toBe(1);
});

describe("schedule", () => {
  test("warm-up rises in equal steps and ends at the peak", () => {
    const lr = schedule({ kind: "constant", peak: 1, steps: 10, warmup: 4 });
    expect([0, 1, 2, 3, 4, 9].map(lr)).toEqual([0.25, 0.5, 0.75, 1, 1, 1]);
  });

  test("linear falls to the floor", () => {
    const lr = schedule({ kind: "linear", peak: 2, steps: 10, floor: 0.5 });
    expect([0, 5, 10, 20].map(lr)).toEqual([2, 1.5, 1, 1]); // halfway between 2 and 0.5·2
  });

  test("cosine is at the mean of peak and floor halfway", () => {
    const lr = schedule({ kind: "cosine", peak: 1, steps: 12, warmup: 2, floor: 0.1 });
    expect(lr(2)).toBe(1);
    expect(lr(7)).toBeCloseTo(0.55, 12);
    expect(lr(12)).toBeCloseTo(0.1, 12);
  });

  test("more warm-up than steps is refused", () => {
    expect(() => schedule({ kind: "linear", peak: 1, steps: 5, warmup: 6 })).toThrow("warmup 6 of 5");
  });
});
