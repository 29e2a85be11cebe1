// Stochastic gradient descent with momentum, as torch.optim.SGD computes it.

import { check } from "../error.ts";
import { decays, type Optimizer } from "./optimizer.ts";

export interface SgdOptions {
  readonly momentum?: number;
  /** Added to the gradient, as torch does; on matrices only. */
  readonly weight_decay?: number;
}

/** g ← g + wd·p,  u ← μ u + g,  p ← p - lr·u. Without momentum nothing is kept. */
export function sgd({ momentum = 0, weight_decay = 0 }: SgdOptions = {}): Optimizer {
  check(
    0 <= momentum && momentum < 1 && weight_decay >= 0,
    "argument",
    () => `sgd: momentum ${momentum} outside [0,1) or weight_decay ${weight_decay} below 0`,
  );
  return {
    name: "sgd",
    elementwise: true,
    slots: (shape) => (momentum > 0 ? { u: { shape } } : {}),
    scalars: (_step, rate) => ({ rate }),
    update(b, { param, gradient, slots, scalars, gradScale }) {
      const clipped = b.mul(gradient, gradScale);
      const g = decays(param, weight_decay) ? b.add(clipped, b.mul(param, weight_decay)) : clipped;
      const u = slots.u ? b.add(b.mul(slots.u, momentum), g) : g;
      return { param: b.sub(param, b.mul(u, scalars.rate!)), slots: slots.u ? { u } : {} };
    },
  };
}
