// The coefficient of the KL penalty from one iteration to the next: fixed, or steered towards a target.

/** Everything the next coefficient depends on; a checkpoint keeps it. */
export interface KlControl {
  readonly kind: "fixed" | "ziegler" | "ppo";
  /** Mean KL per response that is aimed at, in nats. */
  readonly target: number;
  /** ziegler only: episodes in which the coefficient may change by its proportional bound. */
  readonly horizon: number;
}

/**
 * - ziegler: β ← β·(1 + clip(KL/target - 1, ±0.2)·n/horizon) after n episodes (https://arxiv.org/abs/1909.08593 §2.2)
 * - ppo: β ← β/2 below target/1.5, β ← 2β above 1.5·target (https://arxiv.org/abs/1707.06347 §4)
 */
export function nextKlCoef(beta: number, kl: number, episodes: number, control: KlControl): number {
  const { kind, target, horizon } = control;
  if (kind === "fixed") return beta;
  if (kind === "ppo") {
    if (kl < target / 1.5) return beta / 2;
    return kl > target * 1.5 ? beta * 2 : beta;
  }
  const error = Math.min(0.2, Math.max(-0.2, kl / target - 1));
  return beta * (1 + (error * episodes) / horizon);
}
