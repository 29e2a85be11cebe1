// Kahneman-Tversky optimisation: a loss for single answers that are desirable or not.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

export interface KtoResult {
  /** Per answer, [B]. */
  readonly losses: Value;
  /** β(log π - log π_ref), [B]. */
  readonly rewards: Value;
}

/**
 * With ρ = log π - log π_ref of each answer [B] and the KL of the policy from the reference [] in nats, which has no
 * gradient: 1 - σ(β(ρ - KL)) where `desirable` [B] is 1, 1 - σ(β(KL - ρ)) where it is 0. https://arxiv.org/abs/2402.01306
 */
export function kto(
  b: Builder,
  ratios: Value,
  { beta, kl, desirable }: { readonly beta: number; readonly kl: Value; readonly desirable: Value },
): KtoResult {
  check(beta > 0, "argument", () => `kto: beta is ${beta}, must be > 0`);
  const sign = b.sub(b.mul(desirable, 2), 1);
  const above = b.mul(b.sub(ratios, kl), sign);
  return { losses: b.sub(1, b.sigmoid(b.mul(above, beta))), rewards: b.mul(ratios, beta) };
}
