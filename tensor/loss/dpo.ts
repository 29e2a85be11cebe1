// The direct preference losses: from log-probabilities of chosen and rejected answers to a loss per pair.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

export type DpoKind = "sigmoid" | "robust" | "hinge" | "ipo";

export interface DpoOptions {
  readonly kind?: DpoKind;
  /** Strength of the pull to the reference; usual range 0.01 to 0.5. */
  readonly beta: number;
  /** Probability that a label is wrong, in [0, 0.5). Only sigmoid (cDPO) and robust use it; elsewhere it must be 0. */
  readonly label_smoothing?: number;
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
 * With Δ = (log π/π_ref)(chosen) - (log π/π_ref)(rejected):
 * - sigmoid: -(1-ε) log σ(βΔ) - ε log σ(-βΔ). DPO https://arxiv.org/abs/2305.18290, ε > 0 is cDPO (https://ericmitchell.ai/cdpo.pdf)
 * - robust: [-(1-ε) log σ(βΔ) + ε log σ(-βΔ)] / (1-2ε). https://arxiv.org/abs/2403.00409
 * - hinge: max(0, 1 - βΔ). SLiC https://arxiv.org/abs/2305.10425
 * - ipo: (Δ - 1/(2β))². https://arxiv.org/abs/2310.12036
 */
export function dpo(b: Builder, pairs: PairLogprobs, options: DpoOptions): DpoResult {
  const { kind = "sigmoid", beta, label_smoothing: eps = 0 } = options;
  check(beta > 0, "argument", () => `dpo: beta is ${beta}, must be > 0`);
  check(eps >= 0 && eps < 0.5, "argument", () => `dpo: label_smoothing is ${eps}, must be in [0, 0.5)`);
  check(
    eps === 0 || kind === "sigmoid" || kind === "robust",
    "argument",
    () => `dpo: label_smoothing has no effect on ${kind}`,
    "leave it out, or use sigmoid or robust",
  );
  const chosenLogratio = b.sub(pairs.chosen, pairs.refChosen);
  const rejectedLogratio = b.sub(pairs.rejected, pairs.refRejected);
  const delta = b.sub(chosenLogratio, rejectedLogratio);
  const x = b.mul(delta, beta);

  const losses = (): Value => {
    const right = b.logSigmoid(x);
    const wrong = b.logSigmoid(b.neg(x));
    if (kind === "hinge") return b.relu(b.sub(1, x));
    if (kind === "ipo") return b.square(b.sub(delta, 1 / (2 * beta)));
    if (kind === "robust") {
      return b.mul(b.sub(b.mul(wrong, eps), b.mul(right, 1 - eps)), 1 / (1 - 2 * eps));
    }
    return eps === 0 ? b.neg(right) : b.neg(b.add(b.mul(right, 1 - eps), b.mul(wrong, eps)));
  };

  const chosenRewards = b.mul(chosenLogratio, beta);
  const rejectedRewards = b.mul(rejectedLogratio, beta);
  return {
    losses: losses(),
    chosenRewards,
    rejectedRewards,
    margins: b.sub(chosenRewards, rejectedRewards),
    accuracies: b.cast(b.greater(chosenRewards, rejectedRewards), "f32"),
  };
}
