// How well rewards agree with people: accuracy on pairs with its interval, calibration, and the same per labeler.
import { bootstrapInterval, type Interval } from "../compare/statistics.ts";

/** One comparison with the rewards that a model gave its responses. */
export interface Measured {
  readonly rewards: readonly number[];
  readonly ranks: readonly number[];
  readonly labeler?: string;
}

export interface Agreement {
  /** Share of untied pairs whose better response has the higher reward, a tie of rewards counts half. */
  readonly accuracy: number;
  readonly interval: Interval;
  readonly pairs: number;
}

/** Differences of reward, better minus worse, over the untied pairs of a comparison. */
export const leads = ({ rewards, ranks }: Measured): number[] =>
  ranks.flatMap((rank, i) => ranks.flatMap((other, j) => (rank < other ? [rewards[i]! - rewards[j]!] : [])));

/** The interval is a bootstrap over comparisons, because pairs of one comparison share responses. */
export function agreement(measured: readonly Measured[], seed: number): Agreement {
  const correct = measured.map((one) => {
    const all = leads(one);
    return { right: all.reduce((n, d) => n + (d > 0 ? 1 : d === 0 ? 0.5 : 0), 0), pairs: all.length };
  });
  const pairs = correct.reduce((n, c) => n + c.pairs, 0);
  const accuracy = correct.reduce((n, c) => n + c.right, 0) / pairs;
  // A ratio of sums, linearised around its value: its bootstrap is that of a mean.
  const perPair = pairs / correct.length;
  const around = correct.map(({ right, pairs: n }) => accuracy + (right - accuracy * n) / perPair);
  return {
    accuracy,
    pairs,
    interval: bootstrapInterval(around, { seed, resamples: 2000, confidence: 0.95 }),
  };
}

/**
 * Expected calibration error: pairs in ten bins of predicted probability σ(|Δ|) from ½ to 1, and the mean over pairs of how
 * far the share that came true is from the probability in their bin (Guo et al. 2017).
 */
export function calibrationError(measured: readonly Measured[], bins = 10): number {
  const tally = Array.from({ length: bins }, () => ({ n: 0, predicted: 0, right: 0 }));
  const all = measured.flatMap(leads);
  for (const d of all) {
    const predicted = 1 / (1 + Math.exp(-Math.abs(d)));
    const bin = tally[Math.min(bins - 1, Math.floor((predicted - 0.5) * 2 * bins))]!;
    bin.n++;
    bin.predicted += predicted;
    bin.right += d > 0 ? 1 : d === 0 ? 0.5 : 0;
  }
  return tally.reduce((sum, { predicted, right }) => sum + Math.abs(predicted - right), 0) / all.length;
}

/** A table with one line for each labeler, or nothing where there are none. */
export function labelerTable(measured: readonly Measured[], seed: number): string {
  const names = [...new Set(measured.flatMap(({ labeler }) => labeler ?? []))].sort();
  if (names.length === 0) return "";
  const width = Math.max("labeler".length, ...names.map((name) => name.length));
  const lines = names.map((name) => {
    const own = agreement(
      measured.filter(({ labeler }) => labeler === name),
      seed,
    );
    return `${name.padEnd(width)}  ${percent(own.accuracy)}  [${percent(own.interval.low)}, ${percent(own.interval.high)}]  ${own.pairs}`;
  });
  return [`${"labeler".padEnd(width)}  agrees  95% interval  pairs`, ...lines].join("\n");
}

const percent = (x: number): string => `${(100 * x).toFixed(1)}%`;
