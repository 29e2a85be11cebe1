// The direct preference losses that hold a policy to a reference: from log-probabilities of chosen and rejected answers to a loss per pair.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

export const dpoKinds = [
  "sigmoid",
  "robust",
  "hinge",
  "ipo",
  "exo_pair",
  "nca_pair",
  "bco_pair",
  "sppo_hard",
  "aot",
  "aot_unpaired",
  "apo_zero",
  "apo_down",
  "discopop",
] as const;

export type DpoKind = (typeof dpoKinds)[number];

/** Losses that reckon with labels that are wrong. */
export const smoothedKinds: readonly DpoKind[] = ["sigmoid", "robust", "exo_pair", "aot", "aot_unpaired"];

export interface DpoOptions {
  readonly kind?: DpoKind;
  /** Strength of the pull to the reference; usual range 0.01 to 0.5. */
  readonly beta: number;
  /** Probability that a label is wrong, in [0, 0.5). Elsewhere than in `smoothedKinds` it must be 0. */
  readonly label_smoothing?: number;
  /** Temperature of discopop's blend. */
  readonly tau?: number;
  /** What bco_pair holds rewards against, []: their running mean; 0 unless given. */
  readonly shift?: Value;
  /** 1 for pairs, 0 for the empty places behind them, [B]; only aot and aot_unpaired, which sort a batch, look at it. */
  readonly weight?: Value;
}

/** Sequence log-probabilities in nats, each [B]. */
export interface PairLogprobs {
  readonly chosen: Value;
  readonly rejected: Value;
  readonly refChosen: Value;
  readonly refRejected: Value;
}

export interface DpoResult {
  /** Per pair, [B]. */
  readonly losses: Value;
  /** Implicit rewards β(log π - log π_ref), [B] each. */
  readonly chosenRewards: Value;
  readonly rejectedRewards: Value;
  /** chosen - rejected reward, [B]. */
  readonly margins: Value;
  /** 1 where the chosen reward is greater (a tie counts 0), [B]. */
  readonly accuracies: Value;
}

/**
 * With c = (log π/π_ref)(chosen), r = (log π/π_ref)(rejected), Δ = c - r:
 * - sigmoid: -(1-ε) log σ(βΔ) - ε log σ(-βΔ). DPO https://arxiv.org/abs/2305.18290, ε > 0 is cDPO (https://ericmitchell.ai/cdpo.pdf)
 * - robust: [-(1-ε) log σ(βΔ) + ε log σ(-βΔ)] / (1-2ε). https://arxiv.org/abs/2403.00409
 * - hinge: max(0, 1 - βΔ). SLiC https://arxiv.org/abs/2305.10425
 * - ipo: (Δ - 1/(2β))². https://arxiv.org/abs/2310.12036
 * - exo_pair: KL of σ(±βΔ) from the smoothed label, ε = 0.001 unless given. https://arxiv.org/abs/2402.00856
 * - nca_pair: -log σ(βc) - ½ log σ(-βc) - ½ log σ(-βr). https://arxiv.org/abs/2402.05369
 * - bco_pair: -log σ(βc - δ) - log σ(δ - βr). https://arxiv.org/abs/2404.04656
 * - sppo_hard: (c - 1/(2β))² + (r + 1/(2β))². https://arxiv.org/abs/2405.00675
 * - aot, aot_unpaired: sigmoid on the differences of what the batch sorts: of log π(chosen)/π(rejected) against the
 *   reference's, or of c against r. https://arxiv.org/abs/2406.05882
 * - apo_zero: 1 - σ(βc) + σ(βr); apo_down: σ(βc) + 1 - σ(βΔ). https://arxiv.org/abs/2408.06266
 * - discopop: with m = σ(βΔ/τ), -(1-m) log σ(βΔ) + m e^{-βΔ}. https://arxiv.org/abs/2406.08414
 */
export function dpo(b: Builder, pairs: PairLogprobs, options: DpoOptions): DpoResult {
  const { kind = "sigmoid", beta, label_smoothing: eps = 0, tau = 0.05, shift } = options;
  check(beta > 0, "argument", () => `dpo: beta is ${beta}, must be > 0`);
  check(eps >= 0 && eps < 0.5, "argument", () => `dpo: label_smoothing is ${eps}, must be in [0, 0.5)`);
  check(
    eps === 0 || smoothedKinds.includes(kind),
    "argument",
    () => `dpo: label_smoothing has no effect on ${kind}`,
    `leave it out, or use ${smoothedKinds.join(" or ")}`,
  );
  const c = b.sub(pairs.chosen, pairs.refChosen);
  const r = b.sub(pairs.rejected, pairs.refRejected);
  const delta = b.sub(c, r);
  const [chosenRewards, rejectedRewards] = [b.mul(c, beta), b.mul(r, beta)];

  /** -(1-ε) log σ(x) - ε log σ(-x). */
  const smoothed = (x: Value): Value => {
    const right = b.logSigmoid(x);
    if (eps === 0) return b.neg(right);
    return b.neg(b.add(b.mul(right, 1 - eps), b.mul(b.logSigmoid(b.neg(x)), eps)));
  };

  function losses(): Value {
    const x = b.mul(delta, beta);
    switch (kind) {
      case "sigmoid":
        return smoothed(x);
      case "robust": {
        const [right, wrong] = [b.logSigmoid(x), b.logSigmoid(b.neg(x))];
        return b.mul(b.sub(b.mul(wrong, eps), b.mul(right, 1 - eps)), 1 / (1 - 2 * eps));
      }
      case "hinge":
        return b.relu(b.sub(1, x));
      case "ipo":
        return b.square(b.sub(delta, 1 / (2 * beta)));
      case "exo_pair": {
        const flipped = eps === 0 ? 1e-3 : eps;
        const term = (y: Value, p: number) => b.mul(b.sigmoid(y), b.sub(b.logSigmoid(y), Math.log(p)));
        return b.add(term(x, 1 - flipped), term(b.neg(x), flipped));
      }
      case "nca_pair": {
        const pushed = b.add(b.logSigmoid(b.neg(chosenRewards)), b.logSigmoid(b.neg(rejectedRewards)));
        return b.neg(b.add(b.logSigmoid(chosenRewards), b.mul(pushed, 0.5)));
      }
      case "bco_pair": {
        const over = (rewards: Value) => (shift ? b.sub(rewards, shift) : rewards);
        const [above, below] = [over(chosenRewards), b.neg(over(rejectedRewards))];
        return b.neg(b.add(b.logSigmoid(above), b.logSigmoid(below)));
      }
      case "sppo_hard":
        return b.add(b.square(b.sub(c, 1 / (2 * beta))), b.square(b.add(r, 1 / (2 * beta))));
      case "aot": {
        const policy = b.sub(pairs.chosen, pairs.rejected);
        const reference = b.sub(pairs.refChosen, pairs.refRejected);
        return smoothed(b.mul(sortedDifference(b, policy, reference, options.weight), beta));
      }
      case "aot_unpaired":
        return smoothed(b.mul(sortedDifference(b, c, r, options.weight), beta));
      case "apo_zero":
        return b.add(b.sub(1, b.sigmoid(chosenRewards)), b.sigmoid(rejectedRewards));
      case "apo_down":
        return b.add(b.sigmoid(chosenRewards), b.sub(1, b.sigmoid(x)));
      case "discopop": {
        const m = b.sigmoid(b.mul(x, 1 / tau));
        return b.add(b.mul(b.neg(b.logSigmoid(x)), b.sub(1, m)), b.mul(b.exp(b.neg(x)), m));
      }
    }
  }

  return {
    losses: losses(),
    chosenRewards,
    rejectedRewards,
    margins: b.sub(chosenRewards, rejectedRewards),
    accuracies: b.cast(b.greater(chosenRewards, rejectedRewards), "f32"),
  };
}

/** The k-th smallest of x minus the k-th smallest of y, [B]; empty places stay last. */
function sortedDifference(b: Builder, x: Value, y: Value, weight: Value | undefined): Value {
  const last = (v: Value) => (weight ? b.select(b.greater(weight, 0.5), v, LAST) : v);
  return b.sub(ascending(b, last(x)), ascending(b, last(y)));
}

const LAST = 1e9;

/** Sorted values [B], by counting for each how many come before it. The gradient flows to the values, not through the order. */
function ascending(b: Builder, x: Value): Value {
  const B = x.shape[0]!;
  const earlier = b.constant(
    Array.from({ length: B * B }, (_, at) => (at % B < Math.floor(at / B) ? 1 : 0)),
    [B, B],
  );
  const [own, other] = [b.reshape(x, [B, 1]), b.reshape(x, [1, B])];
  const ties = b.mul(b.cast(b.equal(own, other), "f32"), earlier);
  const rank = b.sum(b.add(b.cast(b.greater(own, other), "f32"), ties), [1]);
  const places = b.constant(
    Array.from({ length: B }, (_, k) => k),
    [1, B],
  );
  const place = b.cast(b.equal(rank, places), "f32");
  return b.reshape(b.sum(b.mul(place, own), [0]), [B]);
}
