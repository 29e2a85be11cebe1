// The optimiser, clipping and schedules by hand arithmetic.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { Builder } from "../ir/builder.ts";
import { adafactor } from "./adafactor.ts";
import { adamw } from "./adamw.ts";
import { clipScale, globalNorm } from "./clip.ts";
import { EMA, withEma } from "./ema.ts";
import type { Optimizer } from "./optimizer.ts";
import { rmsprop } from "./rmsprop.ts";
import { schedule } from "./schedule.ts";
import { sgd } from "./sgd.ts";

type Arrays = Record<string, ArrayLike<number>>;

/** One update in float64; slots start as the optimiser says. */
async function step(
  optimizer: Optimizer,
  shape: number[],
  {
    p,
    g,
    slots,
    n = 1,
    lr = 0.1,
  }: { p: ArrayLike<number>; g: ArrayLike<number>; slots?: Arrays; n?: number; lr?: number },
): Promise<{ p: number[]; slots: Arrays }> {
  const b = new Builder();
  const list = (x: ArrayLike<number>) => Array.from(x);
  const held = Object.entries(optimizer.slots(shape)).map(([slot, { shape: kept, start }]) => {
    const zeros = new Array<number>(kept.reduce((x, y) => x * y, 1)).fill(0);
    return [slot, b.constant(list(slots?.[slot] ?? (start === "weight" ? p : zeros)), kept)] as const;
  });
  const scalars = Object.entries(optimizer.scalars(n, lr)).map(([k, x]) => [k, b.scalar(x)] as const);
  const next = optimizer.update(b, {
    param: b.constant(list(p), shape),
    gradient: b.constant(list(g), shape),
    slots: Object.fromEntries(held),
    scalars: Object.fromEntries(scalars),
    gradScale: b.scalar(1),
  });
  const graph = b.finish({ p: next.param, ...next.slots });
  const out = await (await referenceBackend("f64").compile(graph)).run({});
  const { p: param, ...rest } = out;
  return { p: Array.from(param!), slots: rest as Arrays };
}

describe("by hand", () => {
  test("sgd: the second step carries 0.9 of the first", async () => {
    // u1 = 2, p1 = 1 - 0.1·2 = 0.8; u2 = 0.9·2 + 1 = 2.8, p2 = 0.8 - 0.28 = 0.52
    const first = await step(sgd({ momentum: 0.9 }), [1], { p: [1], g: [2] });
    const second = await step(sgd({ momentum: 0.9 }), [1], { p: first.p, g: [1], slots: first.slots });
    expect(second.p[0]).toBeCloseTo(0.52, 12);
  });

  test("rmsprop: the first step is lr / √(1-α), as nothing corrects the bias", async () => {
    // v = 0.01·9, g/√v = 3/0.3 = 10, p = 2 - 0.1·10
    expect((await step(rmsprop(), [1], { p: [2], g: [3] })).p[0]).toBeCloseTo(1, 6);
  });

  test("adafactor: the first step has β = 0, so rows and columns are the means of g²", async () => {
    // g² = [[1,4],[9,16]]: R = [2.5,12.5], C = [5,10], mean R = 7.5; û00 = 1/√(2.5·5/7.5) = 0.7746
    const g = [1, 2, 3, 4];
    const { p, slots } = await step(adafactor(), [2, 2], { p: [0, 0, 0, 0], g });
    expect([...(slots.row as number[])]).toEqual([2.5, 12.5]);
    expect([...(slots.col as number[])]).toEqual([5, 10]);
    const u = [
      1 / Math.sqrt(12.5 / 7.5),
      2 / Math.sqrt(25 / 7.5),
      3 / Math.sqrt(62.5 / 7.5),
      4 / Math.sqrt(125 / 7.5),
    ];
    const rms = Math.sqrt(u.reduce((s, x) => s + x * x, 0) / 4); // 0.9899, below the threshold of 1
    for (const [i, x] of u.entries()) expect(p[i]).toBeCloseTo((-0.1 * x) / Math.max(1, rms), 10);
  });

  test("ema: 0.992 of the old average and 0.008 of the new weight", async () => {
    // p = 1 - 0.1·2 = 0.8; e = 0.992·1 + 0.008·0.8 = 0.9984
    const { p, slots } = await step(withEma(sgd(), 0.992), [1], { p: [1], g: [2] });
    expect(p[0]).toBeCloseTo(0.8, 12);
    expect(slots[EMA]![0]).toBeCloseTo(0.9984, 12);
  });

  test("options outside their range are refused", () => {
    expect(() => sgd({ momentum: 1 })).toThrow("momentum 1");
    expect(() => rmsprop({ alpha: 1 })).toThrow("alpha 1");
    expect(() => adafactor({ decay_rate: 0.8 })).toThrow("decay_rate is 0.8");
    expect(() => withEma(sgd(), 1)).toThrow("decay is 1");
  });
});

describe("four steps equal torch's in float64", () => {
  const fixture = JSON.parse(readFileSync(new URL("fixtures/optimizers.json", import.meta.url), "utf8")) as {
    decay: number;
    start: Record<string, { shape: number[]; data: number[] }>;
    gradients: Record<string, number[]>[];
    ends: Record<string, Record<string, number[]>>;
  };
  const wd = { weight_decay: fixture.decay };
  const arms: Record<string, [Optimizer, number]> = {
    sgd: [sgd(wd), 0.1],
    "sgd momentum": [sgd({ momentum: 0.9, ...wd }), 0.1],
    rmsprop: [rmsprop(wd), 0.01],
    "rmsprop momentum": [rmsprop({ alpha: 0.9, eps: 1e-6, momentum: 0.5, ...wd }), 0.01],
    adafactor: [adafactor(wd), 0.05],
    "adafactor scaled": [adafactor({ scale_parameter: true, ...wd }), 0.05],
  };
  test.each(Object.keys(arms))("%s", async (name) => {
    const [optimizer, lr] = arms[name]!;
    for (const [weight, { shape, data }] of Object.entries(fixture.start)) {
      let [p, slots]: [number[], Arrays | undefined] = [data, undefined];
      for (const [i, gradient] of fixture.gradients.entries()) {
        const next = await step(optimizer, shape, {
          p,
          g: gradient[weight]!,
          ...(slots && { slots }),
          n: i + 1,
          lr,
        });
        [p, slots] = [next.p, next.slots];
      }
      for (const [i, want] of fixture.ends[name]![weight]!.entries()) expect(p[i]).toBeCloseTo(want, 6);
    }
  });
});

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

  test("inverse square root falls to a half after three warm-ups more: √(4 / (4 + 12))", () => {
    const lr = schedule({ kind: "inverse_sqrt", peak: 1, steps: 100, warmup: 4 });
    expect([3, 4, 16].map(lr)).toEqual([1, 1, 0.5]);
    const plain = schedule({ kind: "inverse_sqrt", peak: 1, steps: 100 }); // time scale 10,000
    expect([0, 30_000].map(plain)).toEqual([1, 0.5]);
  });

  test("a run with fewer steps than its warm-up ends on the way: 5/8 of the peak", () => {
    const lr = schedule({ kind: "linear", peak: 1, steps: 5, warmup: 8 });
    expect([0, 4].map(lr)).toEqual([1 / 8, 5 / 8]);
  });

  test("a warm-up of less than no steps is refused", () => {
    expect(() => schedule({ kind: "linear", peak: 1, steps: 5, warmup: -1 })).toThrow("warmup -1 of 5");
  });
});
