// Reward-model losses against hand arithmetic, other trainers' constants and the properties that they must have.

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { stream } from "../random.ts";
import { kWise, type PairTerms, pairAccuracy, plackettLuce, type Ranked } from "./ranking.ts";

/** Prompts with rewards and ranks (1 is best), padded to one K; evaluated in float64. */
async function evaluate(
  prompts: readonly { readonly rewards: readonly number[]; readonly ranks: readonly number[] }[],
  build: (b: Builder, ranked: Ranked) => Value,
): Promise<{ losses: number[]; gradient: number[] }> {
  const [P, K] = [prompts.length, Math.max(...prompts.map(({ rewards }) => rewards.length))];
  const better = new Array<number>(P * K * K).fill(0);
  const rewards = new Array<number>(P * K).fill(7); // must not matter
  prompts.forEach(({ rewards: r, ranks }, p) => {
    r.forEach((x, i) => {
      rewards[p * K + i] = x;
      ranks.forEach((rank, j) => {
        if (ranks[i]! < rank) better[(p * K + i) * K + j] = 1;
      });
    });
  });
  const b = new Builder();
  const x = b.constant(rewards, [P, K]);
  const losses = build(b, { rewards: x, better: b.constant(better, [P, K, K]) });
  const graph = b.finish({ losses, gradient: grad(b, b.sum(losses), [x])[0]! });
  const out = await (await referenceBackend("f64").compile(graph)).run({});
  return { losses: [...out.losses!], gradient: [...out.gradient!] };
}

const ordered = (...rewards: number[]) => ({ rewards, ranks: rewards.map((_, i) => i + 1) });
const mean = (xs: readonly number[]) => xs.reduce((s, x) => s + x, 0) / xs.length;
const pairwise = (terms?: PairTerms) => (b: Builder, ranked: Ranked) => kWise(b, ranked, terms);

describe("pairs [1.2, .3] over [.5, .9]", () => {
  const pairs = [ordered(1.2, 0.5), ordered(0.3, 0.9)];

  test("the loss is -log σ of the difference", async () => {
    // mean of log(1 + e^-.7) and log(1 + e^.6)
    const { losses } = await evaluate(pairs, pairwise());
    expect(mean(losses)).toBeCloseTo(0.7203369997, 9);
  });

  test("a margin is subtracted from the difference", async () => {
    // The better of the first pair must lead by 1: log(1 + e^.3).
    const margin = [0, 1, 0, 0, 0, 0, 0, 0];
    const { losses } = await evaluate(pairs, (b, ranked) =>
      kWise(b, ranked, { margin: b.constant(margin, [2, 2, 2]) }),
    );
    expect(mean(losses)).toBeCloseTo(0.9459215975, 9);
  });

  test("centring adds c·(r_w + r_l)²", async () => {
    // .01 · mean(1.7², 1.2²) = .01 · (2.89 + 1.44) / 2
    const { losses } = await evaluate(pairs, pairwise({ center: 0.01 }));
    expect(mean(losses)).toBeCloseTo(0.7203369997 + 0.02165, 9);
  });

  /** With a term that gives the rewards a gradient of zero, as accuracy alone has none. */
  const accuracy = (b: Builder, ranked: Ranked) => b.add(pairAccuracy(b, ranked), b.mul(kWise(b, ranked), 0));

  test("one of two is in the right order", async () => {
    expect((await evaluate(pairs, accuracy)).losses).toEqual([1, 0]);
    expect((await evaluate([ordered(0.4, 0.4)], accuracy)).losses).toEqual([0.5]);
  });
});

describe("four responses with rewards [2, 1, .5, -1], best to worst", () => {
  const four = ordered(2, 1, 0.5, -1);

  test("K-wise is the mean over the six pairs", async () => {
    const { losses } = await evaluate([four], pairwise());
    const byHand = [1, 1.5, 3, 0.5, 2, 1.5].map((d) => Math.log1p(Math.exp(-d)));
    expect(losses[0]).toBeCloseTo(mean(byHand), 12);
    expect(losses[0]).toBeCloseTo(0.2276134317, 9);
  });

  test("LAION's regulariser adds c·½(r_i² + r_j²)", async () => {
    const { losses } = await evaluate([four], pairwise({ l2: 0.001 }));
    expect(losses[0]).toBeCloseTo(0.2291759317, 9);
  });

  test("Plackett-Luce picks the best, then the best of the rest", async () => {
    const { losses } = await evaluate([four], plackettLuce);
    expect(losses[0]).toBeCloseTo(1.2515520957, 9);
  });
});

describe("properties", () => {
  const random = stream(7);
  const draw = (n: number) => Array.from({ length: n }, () => random.normal());

  test.each([
    ["K-wise", pairwise()],
    ["Plackett-Luce", plackettLuce],
  ] as const)("%s of two responses is Bradley-Terry", async (_, loss) => {
    const [w, l] = draw(2) as [number, number];
    const { losses, gradient } = await evaluate([ordered(w, l)], loss);
    expect(losses[0]).toBeCloseTo(Math.log1p(Math.exp(l - w)), 12);
    // dL/dw = -σ(l - w)
    expect(gradient[0]).toBeCloseTo(-1 / (1 + Math.exp(w - l)), 12);
  });

  test.each([
    ["K-wise", pairwise()],
    ["Plackett-Luce", plackettLuce],
  ] as const)(
    "%s does not see a constant that is added to all rewards, nor the order of rows",
    async (_, loss) => {
      const rewards = draw(5);
      const ranks = [2, 1, 3, 3, 5];
      const before = await evaluate([{ rewards, ranks }], loss);
      const shifted = await evaluate([{ rewards: rewards.map((r) => r + 3), ranks }], loss);
      const order = [4, 2, 0, 3, 1];
      const moved = await evaluate(
        [{ rewards: order.map((i) => rewards[i]!), ranks: order.map((i) => ranks[i]!) }],
        loss,
      );
      expect(shifted.losses[0]).toBeCloseTo(before.losses[0]!, 12);
      expect(moved.losses[0]).toBeCloseTo(before.losses[0]!, 12);
      expect(before.gradient.reduce((s, g) => s + g, 0)).toBeCloseTo(0, 12);
    },
  );

  test.each([
    ["K-wise", pairwise()],
    ["Plackett-Luce", plackettLuce],
  ] as const)(
    "%s: tied responses do not push each other, and unused places have no gradient",
    async (_, loss) => {
      const { losses, gradient } = await evaluate(
        [
          { rewards: [1, 4], ranks: [1, 1] },
          { rewards: [1, 2, 3], ranks: [1, 2, 3] },
        ],
        loss,
      );
      expect(losses[0]).toBe(0);
      expect(gradient.slice(0, 3).map(Math.abs)).toEqual([0, 0, 0]);
    },
  );

  test("K-wise of many prompts is the mean of the pair losses of each, whatever their K", async () => {
    const prompts = [ordered(...draw(2)), ordered(...draw(4)), ordered(...draw(9))];
    const { losses } = await evaluate(prompts, pairwise());
    for (const [p, { rewards }] of prompts.entries()) {
      const pairs = rewards.flatMap((w, i) => rewards.slice(i + 1).map((l) => Math.log1p(Math.exp(l - w))));
      expect(losses[p]).toBeCloseTo(mean(pairs), 12);
    }
  });
});
