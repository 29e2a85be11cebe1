// Means, win rates and their intervals. Pure; chance comes from a seed.
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

/** (wins + ½ ties) / n over paired scores. */
export function winRate(scores: readonly number[], against: readonly number[]): number {
  return mean(scores.map((score, i) => winOf(score, against[i]!)));
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

/** Wilson's score interval of a proportion (1927); successes may be a half for a tie. */
export function wilsonInterval(successes: number, n: number, confidence: number): Interval {
  const z = normalQuantile((1 + confidence) / 2);
  const p = successes / n;
  const centre = (p + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((p * (1 - p)) / n + z ** 2 / (4 * n ** 2));
  return { low: centre - half, high: centre + half };
}

/** Acklam's rational approximation; relative error below 1.2e-9. */
export function normalQuantile(p: number): number {
  const tail = (q: number): number =>
    polynomial(
      [
        -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734,
        4.374664141464968, 2.938163982698783,
      ],
      q,
    ) / polynomial([7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1], q);
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (
    (q *
      polynomial(
        [
          -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2,
          -3.066479806614716e1, 2.506628277459239,
        ],
        r,
      )) /
    polynomial(
      [
        -5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1,
        -1.328068155288572e1, 1,
      ],
      r,
    )
  );
}

/** Highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c, 0);
}
