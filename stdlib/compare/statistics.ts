// Means, wins and the intervals of means. Pure; chance comes from a seed.
import { stream } from "../../tensor/index.ts";

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** NaN of nothing. */
export function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

/** 1 for the higher score, ½ for a tie, 0 for the lower. */
export function winOf(score: number, against: number): number {
  return score > against ? 1 : score === against ? 0.5 : 0;
}

/**
 * Percentile bootstrap of a mean (Efron & Tibshirani 1993, §13.3): the quantiles of the means of `resamples`
 * draws with replacement. For a paired comparison give the differences, one per prompt.
 */
export function bootstrapInterval(
  values: readonly number[],
  options: { readonly seed: number; readonly resamples: number; readonly confidence: number },
): Interval {
  const random = stream(options.seed).split("bootstrap");
  const means = new Float64Array(options.resamples);
  for (let r = 0; r < means.length; r++) {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[random.int(values.length)]!;
    means[r] = sum / values.length;
  }
  means.sort();
  const tail = (1 - options.confidence) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** Of sorted values, linear between neighbours (type 7 of Hyndman & Fan 1996). */
export function quantile(sorted: ArrayLike<number>, p: number): number {
  const at = p * (sorted.length - 1);
  const below = sorted[Math.floor(at)]!;
  return below + (at - Math.floor(at)) * (sorted[Math.ceil(at)]! - below);
}
