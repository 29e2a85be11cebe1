// Learning-rate schedules: pure functions of the step, counted from 0.

import { check } from "../error.ts";

export type Schedule = (step: number) => number;

export interface ScheduleOptions {
  readonly kind: "constant" | "linear" | "cosine";
  /** The highest learning rate, reached after warm-up. */
  readonly peak: number;
  /** Steps of the whole run, warm-up included. */
  readonly steps: number;
  /** Steps of linear rise from peak/warmup to peak. */
  readonly warmup?: number;
  /** The rate at the end, as a fraction of the peak. */
  readonly floor?: number;
}

export function schedule({ kind, peak, steps, warmup = 0, floor = 0 }: ScheduleOptions): Schedule {
  check(
    steps >= 1 && warmup >= 0 && warmup <= steps,
    "argument",
    () => `schedule: warmup ${warmup} of ${steps} steps`,
  );
  check(
    floor >= 0 && floor <= 1,
    "argument",
    () => `schedule: floor ${floor} is a fraction of the peak, 0 to 1`,
  );
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    if (kind === "constant") return peak;
    const progress = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    const left = kind === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
    return peak * (floor + (1 - floor) * left);
  };
}
