// How much each part of a mixture weighs, and how many of its rows are drawn.
import type { Random } from "../../tensor/index.ts";

/** What has a rate of its own. */
export interface Task {
  readonly dataset: number;
  /** Rows it can draw from. */
  readonly rows: number;
  /** Parts that its dataset is in: 1, or its templates. */
  readonly parts: number;
}

export interface Rating {
  readonly rate_maximum?: number;
  readonly temperature: number;
}

/**
 * What a task counts as: min(n, K). A part of a dataset of more than K rows counts as K / parts, a part of a smaller one
 * as all its rows (Wei et al. 2021 §2.1 with one part; Sanh et al. 2021 §4 with one for each template).
 */
export function counted({ rows, parts }: Task, maximum: number | undefined): number {
  if (maximum === undefined || rows <= maximum) return rows;
  return Math.floor(maximum / parts);
}

/** counted^(1/T), as in seqio. */
export function rates(tasks: readonly Task[], { rate_maximum, temperature }: Rating): number[] {
  return tasks.map((task) => counted(task, rate_maximum) ** (1 / temperature));
}

/**
 * How many of `total` draws each rate gets: total · rate / Σ rates, rounded up or down so that the mean over seeds is
 * exactly that (systematic sampling). Independent draws, as seqio has them, have the same mean and more noise.
 */
export function allot(rates: readonly number[], total: number, random: Random): number[] {
  const sum = rates.reduce((a, b) => a + b, 0);
  const offset = random.uniform();
  let below = 0;
  let before = 0;
  return rates.map((rate) => {
    below += rate;
    const upTo = Math.floor(whole((total * below) / sum) + offset);
    const drawn = upTo - before;
    before = upTo;
    return drawn;
  });
}

/** A sum of rates is a whole number where it differs from one by rounding only. */
function whole(x: number): number {
  const near = Math.round(x);
  return Math.abs(x - near) < 1e-9 * Math.max(1, near) ? near : x;
}
