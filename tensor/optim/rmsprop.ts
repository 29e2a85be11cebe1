// RMSprop as torch.optim.RMSprop computes it: the optimiser of the DPO paper (https://arxiv.org/abs/2305.18290, App. B).

import { check } from "../error.ts";
import { decays, type Optimizer } from "./optimizer.ts";

export interface RmspropOptions {
  /** Decay of the mean square. */
  readonly alpha?: number;
  readonly eps?: number;
  readonly momentum?: number;
  /** Added to the gradient, as torch does; on matrices only. */
  readonly weight_decay?: number;
}

/** g ← g + wd·p,  v ← α v + (1-α) g²,  u ← μ u + g / (√v + eps),  p ← p - lr·u. No bias correction. */
export function rmsprop(options: RmspropOptions = {}): Optimizer {
  const { alpha = 0.99, eps = 1e-8, momentum = 0, weight_decay = 0 } = options;
  check(
    0 <= alpha && alpha < 1 && 0 <= momentum && momentum < 1,
    "argument",
    () => `rmsprop: alpha ${alpha} or momentum ${momentum} outside [0,1)`,
  );
  check(
    eps > 0 && weight_decay >= 0,
    "argument",
    () => `rmsprop: eps ${eps} must be > 0, weight_decay ${weight_decay} >= 0`,
  );
  return {
    name: "rmsprop",
    elementwise: true,
    slots: (shape) => ({ v: { shape }, ...(momentum > 0 ? { u: { shape } } : {}) }),
    scalars: (_step, rate) => ({ rate }),
    update(b, { param, gradient, slots, scalars, gradScale }) {
      const clipped = b.mul(gradient, gradScale);
      const g = decays(param, weight_decay) ? b.add(clipped, b.mul(param, weight_decay)) : clipped;
      const v = b.add(b.mul(slots.v!, alpha), b.mul(b.mul(g, g), 1 - alpha));
      const scaled = b.div(g, b.add(b.sqrt(v), eps));
      const u = slots.u ? b.add(b.mul(slots.u, momentum), scaled) : scaled;
      return { param: b.sub(param, b.mul(u, scalars.rate!)), slots: { v, ...(slots.u ? { u } : {}) } };
    },
  };
}
