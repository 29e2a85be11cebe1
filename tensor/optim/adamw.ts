// AdamW with decoupled weight decay (https://arxiv.org/abs/1711.05101) as pure pieces: initial state, host scalars, graph update.

import { check } from "../error.ts";
import { decays, type Optimizer } from "./optimizer.ts";

export interface AdamWOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** Applied to matrices only: not to norms and biases. */
  readonly weight_decay?: number;
}

/**
 * m ← β1 m + (1-β1) g,  v ← β2 v + (1-β2) g²,
 * p ← p (1 - lr·wd) - lr · m̂ / (√v̂ + eps) with m̂ = m/(1-β1ᵗ), v̂ = v/(1-β2ᵗ).
 * Written as p·decay - rate · m / (√v + eps·√(1-β2ᵗ)), which is the same in fewer passes.
 */
export function adamw(options: AdamWOptions = {}): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0 } = options;
  check(
    0 <= beta1 && beta1 < 1 && 0 <= beta2 && beta2 < 1,
    "argument",
    () => `adamw: betas ${beta1}, ${beta2} outside [0,1)`,
  );
  check(
    eps > 0 && weight_decay >= 0,
    "argument",
    () => `adamw: eps ${eps} must be > 0, weight_decay ${weight_decay} >= 0`,
  );
  return {
    name: "adamw",
    elementwise: true,
    slots: (shape) => ({ m: { shape }, v: { shape } }),
    scalars(step, learningRate) {
      const correction = Math.sqrt(1 - beta2 ** step);
      return {
        rate: (learningRate * correction) / (1 - beta1 ** step),
        eps: eps * correction,
        decay: 1 - learningRate * weight_decay,
      };
    },
    update(b, { param, gradient, slots, scalars, gradScale }) {
      const m = b.add(b.mul(slots.m!, beta1), b.mul(gradient, b.mul(gradScale, 1 - beta1)));
      const squareScale = b.mul(b.mul(gradScale, gradScale), 1 - beta2);
      const v = b.add(b.mul(slots.v!, beta2), b.mul(b.mul(gradient, gradient), squareScale));
      const move = b.mul(b.div(m, b.add(b.sqrt(v), scalars.eps!)), scalars.rate!);
      const kept = decays(param, weight_decay) ? b.mul(param, scalars.decay!) : param;
      return { param: b.sub(kept, move), slots: { m, v } };
    },
  };
}
