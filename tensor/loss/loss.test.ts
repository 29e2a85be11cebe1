// Losses against hand arithmetic and against the constants executed from other trainers' sources.

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { crossEntropy, sequenceLogprobs } from "./cross-entropy.ts";
import { type DpoOptions, dpo } from "./dpo.ts";
import { fullKl } from "./kl.ts";

/** Evaluates a graph of constants in float64. */
async function evaluate(build: (b: Builder) => Record<string, Value>): Promise<Record<string, number[]>> {
  const b = new Builder();
  const out = await (await referenceBackend("f64").compile(b.finish(build(b)))).run({});
  return Object.fromEntries(Object.entries(out).map(([name, data]) => [name, [...data]]));
}

const close = (got: readonly number[] | undefined, wanted: readonly number[], digits = 9) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, w] of wanted.entries()) expect(got![i]).toBeCloseTo(w, digits);
};

// Δ = (πc-refc) - (πr-refr) = [(-10+11) - (-12+11.5), (-8+9) - (-5.5+7)] = [1.5, -0.5]
const pairs = (b: Builder) => ({
  chosen: b.constant([-10, -8], [2]),
  rejected: b.constant([-12, -5.5], [2]),
  refChosen: b.constant([-11, -9], [2]),
  refRejected: b.constant([-11.5, -7], [2]),
});
const losses = async (options: Omit<DpoOptions, "beta">) =>
  (await evaluate((b) => ({ losses: dpo(b, pairs(b), { beta: 0.1, ...options }).losses }))).losses;
const mean = (xs: readonly number[] | undefined) => xs!.reduce((s, x) => s + x, 0) / xs!.length;

describe("DPO family at β = 0.1, Δ = [1.5, -0.5]", () => {
  test("sigmoid is -log σ(βΔ)", async () => {
    // -log σ(0.15) = log(1 + e^-0.15) = 0.6209570478; -log σ(-0.05) = 0.7184596480
    close(await losses({}), [0.6209570478, 0.718459648]);
    expect(mean(await losses({}))).toBeCloseTo(0.6697083479, 9);
  });

  test("label smoothing 0.1 is cDPO", async () => {
    // -log σ(-x) = -log σ(x) + x, so the mean rises by 0.1 · mean(βΔ) = 0.1 · 0.05 = 0.005
    expect(mean(await losses({ label_smoothing: 0.1 }))).toBeCloseTo(0.6747083479, 9);
  });

  test("robust divides the debiased loss by 1 - 2ε", async () => {
    close(await losses({ kind: "robust", label_smoothing: 0.1 }), [0.6022070478, 0.724709648]);
  });

  test("hinge is max(0, 1 - βΔ)", async () => {
    close(await losses({ kind: "hinge" }), [0.85, 1.05]);
  });

  test("ipo is (Δ - 1/(2β))²", async () => {
    // (1.5 - 5)² = 12.25, (-0.5 - 5)² = 30.25, mean 21.25
    close(await losses({ kind: "ipo" }), [12.25, 30.25]);
  });

  test("rewards are β(log π - log π_ref); accuracy counts chosen > rejected", async () => {
    const out = await evaluate((b) => ({ ...dpo(b, pairs(b), { beta: 0.1 }) }));
    close(out.chosenRewards, [0.1, 0.1]);
    close(out.rejectedRewards, [-0.05, 0.15]);
    close(out.margins, [0.15, -0.05]);
    expect(out.accuracies).toEqual([1, 0]);
  });

  test("with policy = reference the loss is ln 2, rewards and accuracy are 0", async () => {
    const out = await evaluate((b) => {
      const { chosen, rejected } = pairs(b);
      return { ...dpo(b, { chosen, rejected, refChosen: chosen, refRejected: rejected }, { beta: 0.5 }) };
    });
    close(out.losses, [Math.LN2, Math.LN2], 10);
    expect([...out.chosenRewards!, ...out.margins!, ...out.accuracies!]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test("the gradient of sigmoid in Δ is -β σ(-βΔ)", async () => {
    const out = await evaluate((b) => {
      const p = pairs(b);
      return { g: grad(b, b.sum(dpo(b, p, { beta: 0.1 }).losses), [p.chosen])[0]! };
    });
    close(out.g, [-0.1 / (1 + Math.exp(0.15)), -0.1 / (1 + Math.exp(-0.05))]);
  });

  test("a beta of 0, a smoothing of 0.5 and a smoothing without effect are refused", async () => {
    await expect(losses({ label_smoothing: 0.5 })).rejects.toThrow("label_smoothing is 0.5");
    await expect(losses({ kind: "ipo", label_smoothing: 0.1 })).rejects.toThrow(
      "label_smoothing has no effect on ipo",
    );
    expect(() => dpo(new Builder(), pairs(new Builder()), { beta: 0 })).toThrow("beta is 0");
  });
});

describe("cross-entropy", () => {
  const rows = [-1, -2, -4, -8, -16, -32];
  const mask = [0, 1, 1, 0, 0, 1];

  test("is the mean over supervised tokens", async () => {
    // (2 + 4 + 32) / 3
    const out = await evaluate((b) => ({
      loss: crossEntropy(b, b.constant(rows, [2, 3]), b.constant(mask, [2, 3])),
    }));
    close(out.loss, [38 / 3]);
  });

  test("a given token count divides instead, so pieces add up to the whole", async () => {
    const piece = (from: number) =>
      evaluate((b) => ({
        loss: crossEntropy(
          b,
          b.constant(rows.slice(from, from + 3), [1, 3]),
          b.constant(mask.slice(from, from + 3), [1, 3]),
          b.scalar(3),
        ),
      }));
    // 6/3 + 32/3 = 38/3
    expect((await piece(0)).loss![0]! + (await piece(3)).loss![0]!).toBeCloseTo(38 / 3, 12);
  });

  test("of nothing supervised is 0, not NaN", async () => {
    const out = await evaluate((b) => ({
      loss: crossEntropy(b, b.constant(rows, [2, 3]), b.constant([0, 0, 0, 0, 0, 0], [2, 3])),
    }));
    expect(Math.abs(out.loss![0]!)).toBe(0);
  });

  test("sequence log-probabilities sum the masked tokens of each row", async () => {
    const out = await evaluate((b) => ({
      sums: sequenceLogprobs(b, b.constant(rows, [2, 3]), b.constant(mask, [2, 3])),
    }));
    close(out.sums, [-6, -32]);
  });
});

test("full KL is Σ p log(p/q): 0 against itself, by hand otherwise", async () => {
  const out = await evaluate((b) => {
    const p = b.constant([Math.log(0.5), Math.log(0.5), Math.log(0.9), Math.log(0.1)], [2, 2]);
    const q = b.constant([Math.log(0.5), Math.log(0.5), Math.log(0.5), Math.log(0.5)], [2, 2]);
    return { kl: fullKl(b, p, q) };
  });
  // 0.9 ln(0.9/0.5) + 0.1 ln(0.1/0.5) = 0.3680642072
  close(out.kl, [0, 0.3680642072]);
});
