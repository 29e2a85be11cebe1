// Preference losses without a reference: from log-probabilities of chosen and rejected answers to a loss per pair.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** Mean log-probability of a token in nats, below 0, each [B]. */
interface MeanLogprobs {
  readonly chosen: Value;
  readonly rejected: Value;
}

/**
 * -log p(chosen) - β log σ(log odds(chosen) - log odds(rejected)), log odds(p) = log p - log(1 - p), [B].
 * ORPO https://arxiv.org/abs/2403.07691; β is the paper's λ.
 */
export function orpo(
  b: Builder,
  { chosen, rejected }: MeanLogprobs,
  { beta }: { readonly beta: number },
): Value {
  check(beta > 0, "argument", () => `orpo: beta is ${beta}, must be > 0`);
  // A certain token has infinite odds: held below 1 by what a float of half precision can still tell.
  const log1mexp = (x: Value) => b.log(b.sub(1, b.exp(b.minimum(x, -1e-4))));
  const odds = b.sub(b.sub(chosen, rejected), b.sub(log1mexp(chosen), log1mexp(rejected)));
  return b.sub(b.neg(chosen), b.mul(b.logSigmoid(odds), beta));
}

/** -log σ(β(chosen - rejected) - γ), [B]. SimPO https://arxiv.org/abs/2405.14734 */
export function simpo(
  b: Builder,
  { chosen, rejected }: MeanLogprobs,
  { beta, gamma }: { readonly beta: number; readonly gamma: number },
): Value {
  check(beta > 0, "argument", () => `simpo: beta is ${beta}, must be > 0`);
  return b.neg(b.logSigmoid(b.sub(b.mul(b.sub(chosen, rejected), beta), gamma)));
}

/**
 * -log π(chosen) + α log π(rejected) of whole answers [B] in nats, [B]: the baseline of Rafailov et al. 2023 §6
 * (https://arxiv.org/abs/2305.18290), which has no bound below.
 */
export function unlikelihood(
  b: Builder,
  { chosen, rejected }: { readonly chosen: Value; readonly rejected: Value },
  { alpha }: { readonly alpha: number },
): Value {
  return b.sub(b.mul(rejected, alpha), chosen);
}
