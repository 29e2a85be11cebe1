// A running average of the weights beside any optimiser (InstructGPT: decay 0.992, https://arxiv.org/abs/2203.02155 App. C.4).

import { check } from "../error.ts";
import type { Optimizer } from "./optimizer.ts";

/** The slot that holds the average. */
export const EMA = "ema";

/** e ← d·e + (1-d)·p after every step; e starts as the weights. */
export function withEma(optimizer: Optimizer, decay: number): Optimizer {
  check(0 <= decay && decay < 1, "argument", () => `ema: decay is ${decay}, must be in [0,1)`);
  return {
    name: `${optimizer.name}+ema`,
    elementwise: optimizer.elementwise,
    slots: (shape) => ({ ...optimizer.slots(shape), [EMA]: { shape, start: "weight" } }),
    scalars: (step, rate) => optimizer.scalars(step, rate),
    update(b, args) {
      const { param, slots } = optimizer.update(b, args);
      const average = b.add(b.mul(args.slots[EMA]!, decay), b.mul(param, 1 - decay));
      return { param, slots: { ...slots, [EMA]: average } };
    },
  };
}
