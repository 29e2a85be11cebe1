// What an optimiser is to a training session: arrays that it keeps per weight, host scalars, and an update in the graph.

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import type { Shape } from "../shape.ts";

/** An array kept beside a weight; it starts as zeros or as a copy of the weight. */
export interface Slot {
  readonly shape: Shape;
  readonly start?: "zeros" | "weight";
}

export interface Optimizer {
  readonly name: string;
  /** Every element moves by itself and the slots are as large as the weight, so weights laid end to end move as each would. */
  readonly elementwise: boolean;
  /** The arrays kept beside a weight of this shape, by slot name. */
  slots(shape: Shape): Readonly<Record<string, Slot>>;
  /** Numbers that change per step, computed on the host in float64. `step` counts from 1. */
  scalars(step: number, learningRate: number): Record<string, number>;
  /** Adds the update to the graph. `gradScale` multiplies the gradient (clipping). */
  update(b: Builder, args: UpdateArgs): { param: Value; slots: Record<string, Value> };
}

export interface UpdateArgs {
  readonly param: Value;
  readonly gradient: Value;
  readonly slots: Readonly<Record<string, Value>>;
  readonly scalars: Readonly<Record<string, Value>>;
  readonly gradScale: Value;
}

/** Norms and biases are not decayed. */
export const decays = (param: Value, weight_decay: number): boolean =>
  weight_decay > 0 && param.shape.length > 1;
