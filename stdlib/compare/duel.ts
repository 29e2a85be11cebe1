// Two responses to one prompt before a judge: side by side in both orders where it can see both, else by their scores.
import { once, type RowData, type RowJournal } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import type { Judge } from "../judge/index.ts";
import { bothOrders, pointsOf, type Side } from "../judge/pairs.ts";
import { bootstrapInterval, lengthControlledWinRate, mean, wilsonInterval, winOf } from "./statistics.ts";

export interface Duel {
  readonly prompt: Json;
  readonly row: RowData;
  readonly response: string;
  readonly baseline: string;
  readonly reference?: string;
}

/** Plain JSON. `points` are the response's: 1 won, ½ tie, 0 lost; null where no verdict could be read. */
export type Outcome = {
  readonly points: number | null;
  /** Of a judge that sees both: who was preferred in each order, `a` being the response. */
  readonly orders?: readonly [Side, Side];
  /** Of one that scores. */
  readonly scores?: readonly [response: number, baseline: number];
};

export async function decide(judge: Judge, journal: RowJournal | undefined, duel: Duel): Promise<Outcome> {
  const { prompt, row, response, baseline, reference } = duel;
  const about = { prompt, row, ...(reference === undefined ? {} : { reference }) };
  if (judge.prefer) {
    const orders = await bothOrders(judge, [response, baseline], about);
    return { points: pointsOf(orders), orders };
  }
  const score = (text: string) =>
    once(
      journal,
      ["score", prompt, text],
      async () => (await judge.score({ ...about, response: text })).score,
    );
  const scores = [await score(response), await score(baseline)] as const;
  return { points: winOf(...scores), scores };
}

interface Options {
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: number;
}

/** One entry per prompt: what the duels of its samples came to, and how long both texts are in characters. */
export interface Decided {
  readonly outcomes: readonly Outcome[];
  readonly lengths: readonly (readonly [response: number, baseline: number])[];
}

export function metricsOf(rows: readonly Decided[], options: Options): Record<string, number> {
  const known = rows
    .map(({ outcomes, lengths }) => {
      const points = outcomes.flatMap(({ points }) => (points === null ? [] : [points]));
      const difference = mean(lengths.map(([response, baseline]) => response - baseline));
      return { points: mean(points), difference };
    })
    .filter(({ points }) => !Number.isNaN(points));
  if (known.length === 0) return { malformed: rows.length };
  const points = known.map((row) => row.points);
  const differences = known.map((row) => row.difference);
  const share = mean(points);
  const boot = bootstrapInterval(points, options);
  const wilson = wilsonInterval(share, points.length, options.confidence);
  return {
    win_rate: share,
    win_rate_low: boot.low,
    win_rate_high: boot.high,
    wilson_low: wilson.low,
    wilson_high: wilson.high,
    length_controlled_win_rate: lengthControlledWinRate(points, differences),
    longest_win_rate: mean(differences.map((d) => winOf(d, 0))),
    ...longer(rows),
    ...positions(rows.flatMap(({ outcomes }) => outcomes.flatMap(({ orders }) => (orders ? [orders] : [])))),
    malformed: rows.length - known.length,
  };
}

/** Of the duels that somebody won and in which one text was longer. */
function longer(rows: readonly Decided[]): { prefers_longer?: number } {
  const said = rows.flatMap(({ outcomes, lengths }) =>
    outcomes.flatMap(({ points }, i) => {
      const [a, b] = lengths[i]!;
      return points === null || points === 0.5 || a === b ? [] : [Number(points > 0.5 === a > b)];
    }),
  );
  return said.length === 0 ? {} : { prefers_longer: mean(said) };
}

/** Zheng et al. 2023 §3.3: consistent is who gives the same verdict when the order is turned. */
export function positions(orders: readonly (readonly [Side, Side])[]): {
  position_consistency?: number;
  prefers_first?: number;
} {
  const both = orders.filter(([first, second]) => first !== null && second !== null);
  if (both.length === 0) return {};
  const firsts = both.flatMap(([first, second]) => [
    ...(first === "tie" ? [] : [Number(first === "a")]),
    ...(second === "tie" ? [] : [Number(second === "b")]),
  ]);
  return {
    position_consistency: mean(both.map(([first, second]) => Number(first === second))),
    ...(firsts.length === 0 ? {} : { prefers_first: mean(firsts) }),
  };
}
