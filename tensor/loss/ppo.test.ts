// PPO's losses and estimators against the constants executed from other trainers' sources, and hand arithmetic.

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { explainedVariance, gae, groupRelative, leaveOneOut, tokenRewards, whiten } from "./advantage.ts";
import { klEstimate, klTerm } from "./kl.ts";
import { nextKlCoef } from "./kl-control.ts";
import { entropy, policyLoss, tokenWeights, valueLoss } from "./ppo.ts";

async function evaluate(
  build: (b: Builder) => Readonly<Record<string, Value>>,
): Promise<Record<string, number[]>> {
  const b = new Builder();
  const out = await (await referenceBackend("f64").compile(b.finish(build(b)))).run({});
  return Object.fromEntries(Object.entries(out).map(([name, data]) => [name, [...data]]));
}
const close = (got: readonly number[] | undefined, wanted: readonly number[], digits = 9) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, w] of wanted.entries()) expect(got![i]).toBeCloseTo(w, digits);
};

describe("KL of log-probabilities [-1, -2, -.5] against [-1.2, -1.5, -.5]", () => {
  const [now, base] = [
    [-1, -2, -0.5],
    [-1.2, -1.5, -0.5],
  ];
  test.each([
    ["k1", [0.2, -0.5, 0]],
    ["k2", [0.02, 0.125, 0]],
    ["k3", [0.0187307531, 0.1487212707, 0]],
  ] as const)("%s", async (kind, wanted) => {
    close(
      now.map((x, i) => klEstimate(kind, x - base[i]!)),
      wanted,
    );
    const { kl } = await evaluate((b) => ({
      kl: klTerm(b, kind, b.constant(now, [3]), b.constant(base, [3])),
    }));
    close(kl, wanted);
  });
});

describe("rewards", () => {
  test("the score is on the last token, with its own penalty", () => {
    // β = .1, kl = [.2, -.5], score 1.5: [-.02, 1.5 + .05]
    close(tokenRewards([0.2, -0.5], 1.5, 0.1), [-0.02, 1.55]);
    close(tokenRewards([0.2, -0.5], 1.5, 0), [0, 1.5]);
  });
});

describe("generalised advantage estimation", () => {
  const lambda = 0.95;
  test("γ = 1, λ = .95 over three tokens", () => {
    // δ = [.1 + .4 - .5, -.2 + .3 - .4, 1 - .3] = [0, -.3, .7]; A = [0 + .95·.365, -.3 + .95·.7, .7]
    const { advantages, returns } = gae([0.1, -0.2, 1], [0.5, 0.4, 0.3], { gamma: 1, lambda });
    close(advantages, [0.34675, 0.365, 0.7]);
    close(returns, [0.84675, 0.765, 1]);
  });

  test("a score on the last token of three, or one place later as TRL has it", () => {
    close(gae([0, 0, 1], [0.5, 0.4, 0.3], { gamma: 1, lambda }).advantages, [0.43675, 0.565, 0.7]);
    close(
      gae([0, 0, 0, 1], [0.5, 0.4, 0.3, 0.2], { gamma: 1, lambda }).advantages,
      [0.40065, 0.527, 0.66, 0.8],
    );
  });

  test("tokens that are not the policy's are left out before", () => {
    // verl's mask [1,0,1,0] over rewards [.1, 5, 1, 0], V [.5, 9.9, .3, .9]
    const keep = [0, 2];
    const at = (xs: readonly number[]) => keep.map((i) => xs[i]!);
    const { advantages } = gae(at([0.1, 5, 1, 0]), at([0.5, 9.9, 0.3, 0.9]), { gamma: 1, lambda });
    close(advantages, [0.565, 0.7]);
  });

  test("λ = 1 is return minus value, λ = 0 the one-step error, of nothing nothing", () => {
    const [rewards, values] = [
      [1, 2, 4],
      [0.5, 0.25, 0.125],
    ];
    close(gae(rewards, values, { gamma: 1, lambda: 1 }).advantages, [7 - 0.5, 6 - 0.25, 4 - 0.125]);
    close(gae(rewards, values, { gamma: 1, lambda: 0 }).advantages, [
      1 + 0.25 - 0.5,
      2 + 0.125 - 0.25,
      4 - 0.125,
    ]);
    close(gae([1, 1], [0, 0], { gamma: 0.5, lambda: 1 }).advantages, [1.5, 1]);
    expect(gae([], [], { gamma: 1, lambda })).toEqual({ advantages: [], returns: [] });
  });

  test("whitening is over all tokens, with the unbiased variance; rewards keep their mean", () => {
    const rows = [[0.34675, 0.365], [0.7]];
    close(whiten(rows).flat(), [-0.6226218365, -0.530862629, 1.1534844655]);
    const mean = (0.34675 + 0.365 + 0.7) / 3;
    close(whiten(rows, false).flat(), [-0.6226218365 + mean, -0.530862629 + mean, 1.1534844655 + mean]);
    close(whiten([[2, 2]]).flat(), [0, 0]);
  });

  test("explained variance is 1 for perfect values, 0 for constant ones", () => {
    expect(explainedVariance([1, 2, 3], [1, 2, 3])).toBe(1);
    expect(explainedVariance([5, 5, 5], [1, 2, 3])).toBe(0);
    expect(explainedVariance([3, 2, 1], [1, 2, 3])).toBe(-3); // the error [-2, 0, 2] has four times the variance
    expect(explainedVariance([1], [1])).toBe(0);
  });
});

describe("advantages without a value function", () => {
  const rewards = [1, 0, 0.5, 0];
  test("GRPO divides by the unbiased deviation of the group, plus ε", () => {
    close(groupRelative(rewards, { eps: 1e-6 }), [1.3055796924, -0.7833478154, 0.2611159385, -0.7833478154]);
    close(groupRelative(rewards), [1.3053097494, -0.7831858496, 0.2610619499, -0.7831858496]);
    close(groupRelative(rewards, { eps: 1e-9 }), [1.3055824169, -0.7833494502, 0.2611164834, -0.7833494502]);
    close(groupRelative(rewards, { scale: false }), [0.625, -0.375, 0.125, -0.375]);
    expect(groupRelative([2, 2, 2])).toEqual([0, 0, 0]);
  });

  test("RLOO subtracts the mean of the others", () => {
    close(leaveOneOut(rewards), [0.8333333333, -0.5, 0.1666666667, -0.5]);
  });

  test("neither sees a constant that is added to all rewards", () => {
    const shifted = rewards.map((r) => r + 10);
    close(groupRelative(shifted), groupRelative(rewards));
    close(leaveOneOut(shifted), leaveOneOut(rewards));
  });
});

describe("clipped policy loss", () => {
  const terms = (b: Builder, logprobs: number[], old: number[], advantages: number[]) => ({
    logprobs: b.constant(logprobs, [logprobs.length]),
    old: b.constant(old, [old.length]),
    advantages: b.constant(advantages, [advantages.length]),
    weights: b.constant(
      tokenWeights([logprobs.length], "token_mean").flatMap((w) => old.map(() => w)),
      [old.length],
    ),
  });

  test("is the mean of max(-Aρ, -A clip(ρ, 1 ± ε))", async () => {
    // ρ = e^.2, e^.4, e^-1: [-1.2, e^.4, -.5 e^-1] / 3; only the first is cut
    const out = await evaluate((b) => ({
      ...policyLoss(b, terms(b, [-1, -0.5, -2], [-1.2, -0.9, -1], [1, -1, 0.5]), { clip: 0.2 }),
    }));
    close(out.loss, [0.035961659]);
    close(out.clipFraction, [1 / 3]);
    close(out.ratio, [(Math.exp(0.2) + Math.exp(0.4) + Math.exp(-1)) / 3]);
    const moved = [0.2, 0.4, -1].map((d) => Math.exp(d) - 1 - d);
    close(out.movedKl, [moved.reduce((s, x) => s + x, 0) / 3]);
    // TRL's policy/approxkl_avg in its first-order form: mean(old - new)
    expect([-0.2, -0.4, 1].reduce((s, d) => s + klEstimate("k1", d), 0) / 3).toBeCloseTo(0.1333333, 6);
  });

  test("with an unmoved policy it is minus the mean advantage, and nothing is cut", async () => {
    const out = await evaluate((b) => ({
      ...policyLoss(b, terms(b, [-1, -2], [-1, -2], [0.5, -2]), { clip: 0.2 }),
    }));
    close(out.loss, [0.75]);
    close([...out.clipFraction!, ...out.movedKl!], [0, 0]);
  });

  test("a dual clip bounds what a negative advantage costs", async () => {
    const one = (dual_clip?: number) =>
      evaluate((b) => ({
        ...policyLoss(b, terms(b, [1], [-1], [-1]), {
          clip: 0.2,
          ...(dual_clip === undefined ? {} : { dual_clip }),
        }),
      }));
    close((await one()).loss, [7.3890560989]);
    close((await one(3)).loss, [3]);
  });

  test("another bound above lets a good token rise further", async () => {
    const loss = async (clip_high: number) =>
      (await evaluate((b) => ({ ...policyLoss(b, terms(b, [-1], [-1.5], [1]), { clip: 0.2, clip_high }) })))
        .loss;
    close(await loss(0.28), [-1.28]);
    close(await loss(0.2), [-1.2]);
  });

  test("a clip outside (0, 1) is refused", () => {
    const b = new Builder();
    expect(() => policyLoss(b, terms(b, [0], [0], [0]), { clip: 0 })).toThrow("clip is 0");
  });
});

describe("value loss", () => {
  const values = (clip?: number) =>
    evaluate((b) => {
      const x = (data: number[]) => b.constant(data, [3]);
      const third = x([1 / 3, 1 / 3, 1 / 3]);
      return {
        ...valueLoss(
          b,
          { values: x([0.9, 0.1, 0.4]), old: x([0.5, 0.4, 0.3]), returns: x([1, 0, 0.5]), weights: third },
          clip,
        ),
      };
    });
  test("is half the mean square, of the clipped value where that is worse", async () => {
    // clipped to [.7, .2, .4]: max(.01, .09), max(.01, .04), .01 → ½ · .14 / 3
    const out = await values(0.2);
    close(out.loss, [0.0233333333]);
    close(out.clipFraction, [2 / 3]);
    close((await values()).loss, [0.005]);
  });
});

test("entropy of a fair coin is ln 2, of a certainty 0", async () => {
  const { h } = await evaluate((b) => ({
    h: entropy(b, b.constant([Math.log(0.5), Math.log(0.5), 0, -60], [2, 2])),
  }));
  close(h, [Math.LN2, 0]);
});

test("tokens [[1, 2, 3], [4]] add up to 2.5, 3 and 5", () => {
  const rows = [[1, 2, 3], [4]];
  const total = (aggregation: Parameters<typeof tokenWeights>[1]) => {
    const weights = tokenWeights([3, 1], aggregation);
    return rows.reduce((s, row, i) => s + row.reduce((t, x) => t + x * weights[i]!, 0), 0);
  };
  expect(total("token_mean")).toBeCloseTo(2.5, 12);
  expect(total("sequence_mean")).toBeCloseTo(3, 12);
  expect(total("sequence_sum")).toBeCloseTo(5, 12);
  expect(tokenWeights([0, 2], "token_mean")).toEqual([0, 0.5]);
});

describe("the KL coefficient", () => {
  const next = (kind: "fixed" | "ziegler" | "ppo", kl: number) =>
    nextKlCoef(0.2, kl, 256, { kind, target: 6, horizon: 10_000 });
  test("moves by at most 0.2·n/horizon (Ziegler)", () => {
    // 12 is twice the target: 0.2 · (1 + .2 · 256 / 10000)
    close([next("ziegler", 12), next("ziegler", 3), next("ziegler", 6.3)], [0.201024, 0.198976, 0.200256]);
  });
  test("halves below target/1.5 and doubles above 1.5·target (PPO)", () => {
    expect([3.9, 4.1, 8.9, 9.1].map((kl) => next("ppo", kl))).toEqual([0.1, 0.2, 0.2, 0.4]);
  });
  test("stays where it is fixed", () => {
    expect(next("fixed", 100)).toBe(0.2);
  });
});
