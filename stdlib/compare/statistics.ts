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

/** Of a share: Wilson's score interval (1927), which holds its level also near 0 and 1 and for few trials. `share` may count halves. */
export function wilsonInterval(share: number, n: number, confidence: number): Interval {
  const z = normalQuantile(1 - (1 - confidence) / 2);
  const middle = (share + z ** 2 / (2 * n)) / (1 + z ** 2 / n);
  const half = (z / (1 + z ** 2 / n)) * Math.sqrt((share * (1 - share)) / n + z ** 2 / (4 * n ** 2));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** Acklam's rational approximation, relative error below 1.2e-9; 0 < p < 1. */
export function normalQuantile(p: number): number {
  const a = [
    -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
    2.506628277459239,
  ];
  const b = [
    -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1,
  ];
  const c = [
    -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968,
    2.938163982698783,
  ];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
  const at = (coefficients: readonly number[], x: number) => coefficients.reduce((sum, k) => sum * x + k, 0);
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p < 0.02425) {
    const q = Math.sqrt(-2 * Math.log(p));
    return at(c, q) / at(d, q);
  }
  const q = p - 0.5;
  return (at(a, q ** 2) * q) / at(b, q ** 2);
}

/**
 * The win rate that there would be were all responses as long as the baseline's (Dubois et al. 2024, arXiv 2404.04475, AlpacaEval 2): a
 * logistic regression of the points (1 won, ½ tie, 0 lost) on a constant and tanh of the standardised difference in length, of which
 * the constant is kept. AlpacaEval also fits how hard each instruction is, from many models' results; one comparison cannot tell.
 */
export function lengthControlledWinRate(
  points: readonly number[],
  lengthDifferences: readonly number[],
): number {
  const centre = mean(lengthDifferences);
  const deviation = Math.sqrt(mean(lengthDifferences.map((x) => (x - centre) ** 2)));
  const terms = lengthDifferences.map((x) => (deviation === 0 ? 0 : Math.tanh(x / deviation)));
  // A weak pull to zero keeps what is won or lost throughout finite: a win rate of 1 comes out as nearly that.
  const ridge = 0.001;
  let [constant, slope] = [0, 0];
  for (let step = 0; step < 100; step++) {
    let [g0, g1] = [-ridge * constant, -ridge * slope];
    let [h00, h01, h11] = [ridge, 0, ridge];
    terms.forEach((x, i) => {
      const p = 1 / (1 + Math.exp(-(constant + slope * x)));
      const weight = p * (1 - p);
      g0 += points[i]! - p;
      g1 += (points[i]! - p) * x;
      h00 += weight;
      h01 += weight * x;
      h11 += weight * x ** 2;
    });
    const determinant = h00 * h11 - h01 ** 2;
    const [d0, d1] = [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant];
    // Newton's steps may overshoot where nearly everything is won.
    const most = Math.max(1, Math.hypot(d0, d1) / 2);
    constant += d0 / most;
    slope += d1 / most;
    if (Math.hypot(d0, d1) < 1e-12) break;
  }
  return 1 / (1 + Math.exp(-constant));
}

/** Cohen's κ (1960) of two lists of labels: agreement beyond what their frequencies alone would give; 1 where both say the same one thing. */
export function kappa(a: readonly string[], b: readonly string[]): number {
  const share = (list: readonly string[], label: string) =>
    list.filter((x) => x === label).length / list.length;
  const observed = a.filter((label, i) => label === b[i]).length / a.length;
  const expected = [...new Set([...a, ...b])].reduce(
    (sum, label) => sum + share(a, label) * share(b, label),
    0,
  );
  return expected === 1 ? 1 : (observed - expected) / (1 - expected);
}
