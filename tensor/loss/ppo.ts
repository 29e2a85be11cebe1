// The clipped losses of PPO over the tokens of a minibatch (https://arxiv.org/abs/1707.06347), with what is watched beside them.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** All of one shape. */
export interface PolicyTerms {
  /** log π(a_t|s_t) in nats now, and when the responses were sampled. */
  readonly logprobs: Value;
  readonly old: Value;
  readonly advantages: Value;
  /** What each token counts for in the loss, 0 for padding; see tokenWeights(). */
  readonly weights: Value;
  /** What it counts for in the figures beside the loss; the same unless given. */
  readonly shares?: Value;
}

export interface PolicyClip {
  /** ε: the ratio is held to [1-ε, 1+ε]. */
  readonly clip: number;
  /** Another bound above, 1 + clip_high (https://arxiv.org/abs/2503.14476). */
  readonly clip_high?: number;
  /** c > 1: with A < 0 the loss is at most -c·A (https://arxiv.org/abs/1912.09729). */
  readonly dual_clip?: number;
}

export interface PolicyLoss {
  /** Σ w max(-A ρ, -A clip(ρ, 1-ε, 1+ε)) with ρ = exp(log π - log π_old), []. */
  readonly loss: Value;
  /** Share of tokens whose ratio was cut and mattered, []. */
  readonly clipFraction: Value;
  /** Mean ratio, []. */
  readonly ratio: Value;
  /** KL(π_old‖π) by the k3 estimate (ρ - 1) - log ρ, []. */
  readonly movedKl: Value;
}

export function policyLoss(b: Builder, terms: PolicyTerms, options: PolicyClip): PolicyLoss {
  const { logprobs, old, advantages, weights, shares = weights } = terms;
  const { clip, clip_high = clip, dual_clip } = options;
  check(clip > 0 && clip < 1, "argument", () => `clip is ${clip}, must be in (0, 1)`);
  check(dual_clip === undefined || dual_clip > 1, "argument", () => `dual_clip is ${dual_clip}, must be > 1`);
  const logRatio = b.sub(logprobs, old);
  const ratio = b.exp(logRatio);
  const plain = b.neg(b.mul(advantages, ratio));
  const clipped = b.neg(b.mul(advantages, b.clamp(ratio, 1 - clip, 1 + clip_high)));
  let losses = b.maximum(plain, clipped);
  if (dual_clip !== undefined) {
    const bounded = b.minimum(losses, b.mul(advantages, -dual_clip));
    losses = b.select(b.greater(0, advantages), bounded, losses);
  }
  return {
    loss: weighted(b, losses, weights),
    clipFraction: weighted(b, b.cast(b.greater(clipped, plain), "f32"), shares),
    ratio: weighted(b, ratio, shares),
    movedKl: weighted(b, b.sub(b.sub(ratio, 1), logRatio), shares),
  };
}

export interface ValueTerms {
  /** V(s_t) now, and when the responses were sampled. */
  readonly values: Value;
  readonly old: Value;
  readonly returns: Value;
  readonly weights: Value;
}

/** ½ Σ w max((V - R)², (clip(V, V_old ± ε) - R)²), []; without ε ½ Σ w (V - R)². And the share of tokens that were cut. */
export function valueLoss(
  b: Builder,
  { values, old, returns, weights }: ValueTerms,
  clip?: number,
): { loss: Value; clipFraction: Value } {
  const plain = b.square(b.sub(values, returns));
  if (clip === undefined) {
    return { loss: b.mul(weighted(b, plain, weights), 0.5), clipFraction: b.scalar(0) };
  }
  const near = b.add(old, b.clamp(b.sub(values, old), -clip, clip));
  const clipped = b.square(b.sub(near, returns));
  return {
    loss: b.mul(weighted(b, b.maximum(plain, clipped), weights), 0.5),
    clipFraction: weighted(b, b.cast(b.greater(clipped, plain), "f32"), weights),
  };
}

/** Whole log-distributions [R,V] → entropy of each in nats, [R]. */
export function entropy(b: Builder, all: Value): Value {
  return b.neg(b.reshape(b.sum(b.mul(b.exp(all), all), [1]), [all.shape[0]!]));
}

/** Σ w x, []. */
export const weighted = (b: Builder, x: Value, weights: Value): Value => b.sum(b.mul(x, weights));

export type Aggregation = "token_mean" | "sequence_mean" | "sequence_sum";

/**
 * What each token counts for in a loss, so that Σ w x is
 * - token_mean: the mean over all tokens of the batch (PPO; DAPO),
 * - sequence_mean: the mean over responses of the mean over their tokens (GRPO),
 * - sequence_sum: the mean over responses of the sum over their tokens (REINFORCE).
 * `lengths` are of the whole batch, of which a piece may be computed at a time. Returns one weight per token for each response.
 */
export function tokenWeights(lengths: readonly number[], aggregation: Aggregation): number[] {
  const tokens = lengths.reduce((n, length) => n + length, 0);
  return lengths.map((length) => {
    if (length === 0) return 0;
    if (aggregation === "token_mean") return 1 / tokens;
    return aggregation === "sequence_mean" ? 1 / (length * lengths.length) : 1 / lengths.length;
  });
}
