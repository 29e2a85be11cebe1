// Adafactor (https://arxiv.org/abs/1804.04235): the second moment of a matrix is kept as its row and column means.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { decays, type Optimizer } from "./optimizer.ts";

export interface AdafactorOptions {
  /** Exponent c of the growing decay β2ₜ = 1 - t^c. */
  readonly decay_rate?: number;
  /** Added to g². */
  readonly eps?: number;
  /** Updates with a greater root mean square are scaled down to it. */
  readonly clip_threshold?: number;
  /** Decoupled, on matrices only. */
  readonly weight_decay?: number;
  /** Steps in proportion to each weight's root mean square, 1e-3 at least (§8 of the paper; T5). Default false. */
  readonly scale_parameter?: boolean;
}

/** ε₂ of the paper: what is zero moves too. */
const LEAST_SCALE = 1e-3;

/**
 * s = g² + eps, β = 1 - t^c. Matrices: R ← β R + (1-β) mean_cols s [out,1], C ← β C + (1-β) mean_rows s [1,in],
 * û = g / √(R C / mean R). Vectors: V ← β V + (1-β) s, û = g / √V. Then û ← û / max(1, rms(û)/d) and
 * p ← p (1 - lr·wd) - lr·û, where scale_parameter makes lr·max(1e-3, rms(p)) of lr. The learning rate is given: no relative step, no
 * momentum, which with no scaling are the settings of the transformers Trainer.
 */
export function adafactor(options: AdafactorOptions = {}): Optimizer {
  const {
    decay_rate = -0.8,
    eps = 1e-30,
    clip_threshold = 1,
    weight_decay = 0,
    scale_parameter = false,
  } = options;
  check(decay_rate < 0, "argument", () => `adafactor: decay_rate is ${decay_rate}, must be < 0`);
  check(
    eps > 0 && clip_threshold > 0 && weight_decay >= 0,
    "argument",
    () =>
      `adafactor: eps ${eps} and clip_threshold ${clip_threshold} must be > 0, weight_decay ${weight_decay} >= 0`,
  );
  return {
    name: "adafactor",
    elementwise: false,
    slots: (shape) =>
      shape.length === 2
        ? { row: { shape: [shape[0]!, 1] }, col: { shape: [1, shape[1]!] } }
        : { v: { shape } },
    scalars: (step, rate) => {
      const kept = 1 - step ** decay_rate;
      return { rate, kept, fresh: 1 - kept, decay: 1 - rate * weight_decay };
    },
    update(b, { param, gradient, slots, scalars, gradScale }) {
      const g = b.mul(gradient, gradScale);
      const s = b.add(b.mul(g, g), eps);
      const blend = (old: Value, next: Value) =>
        b.add(b.mul(old, scalars.kept!), b.mul(next, scalars.fresh!));
      const next: Record<string, Value> = slots.row
        ? { row: blend(slots.row, b.mean(s, [1])), col: blend(slots.col!, b.mean(s, [0])) }
        : { v: blend(slots.v!, s) };
      const u = next.row
        ? b.mul(b.mul(g, inverseRoot(b, b.div(next.row, b.mean(next.row)))), inverseRoot(b, next.col!))
        : b.mul(g, inverseRoot(b, next.v!));
      const rms = (x: Value) => b.sqrt(b.mean(b.mul(x, x)));
      const rate = scale_parameter ? b.mul(scalars.rate!, b.maximum(rms(param), LEAST_SCALE)) : scalars.rate!;
      const move = b.mul(u, b.div(rate, b.maximum(b.div(rms(u), clip_threshold), 1)));
      const decay = scale_parameter ? b.sub(1, b.mul(rate, weight_decay)) : scalars.decay!;
      const kept = decays(param, weight_decay) ? b.mul(param, decay) : param;
      return { param: b.sub(kept, move), slots: next };
    },
  };
}

const inverseRoot = (b: Builder, x: Value): Value => b.reciprocal(b.sqrt(x));
