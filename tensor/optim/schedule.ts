// Learning-rate schedules: pure functions of the step, counted from 0.

import { check } from "../error.ts";

export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  readonly kind: "constant" | "linear" | "cosine" | "inverse_sqrt";
  /** The highest learning rate, reached after warm-up. */
  readonly peak: number;
  /** Steps of the whole run, warm-up included. */
  readonly steps: number;
  /** Steps of linear rise from peak/warmup to peak; a run with fewer steps ends on the way. */
  readonly warmup?: number;
  /** The rate at the end, as a fraction of the peak. */
  readonly floor?: number;
}

export function schedule({ kind, peak, steps, warmup = 0, floor = 0 }: ScheduleOptions): Schedule {
  check(steps >= 1 && warmup >= 0, "argument", () => `schedule: warmup ${warmup} of ${steps} steps`);
  check(
    floor >= 0 && floor <= 1,
    "argument",
    () => `schedule: floor ${floor} is a fraction of the peak, 0 to 1`,
  );
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    if (kind === "constant") return peak;
    return peak * (floor + (1 - floor) * remaining(kind, step - warmup, steps - warmup, warmup));
  };
}

/** The share of the peak that is left `after` steps since warm-up, of `all` that there will be. */
function remaining(kind: ScheduleOptions["kind"], after: number, all: number, warmup: number): number {
  if (kind === "inverse_sqrt") {
    // Vaswani et al. 2017 §5.3 as transformers has it: the warm-up is the time scale, 10,000 without one.
    const scale = warmup || 10_000;
    return Math.sqrt(scale / (scale + after));
  }
  const progress = Math.min(1, after / Math.max(1, all));
  return kind === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
}
