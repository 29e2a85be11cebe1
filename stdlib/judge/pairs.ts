// Responses side by side: every two of them in both orders, and what the two verdicts come to together.
import { TaskError } from "../../engine/index.ts";
import type { Judge, PairRequest } from "./judges.ts";

/** Plain JSON, kept with the row. */
export type Comparison = {
  /** Places of the two responses; `a` was shown first in the first order. */
  readonly a: number;
  readonly b: number;
  /** Who was preferred in each order, by place in the row: `a`, `b`, `tie`, or null where the verdict could not be read. */
  readonly orders: readonly [Side, Side];
  /** Of `a`: 1 won, ½ tie, 0 lost; null where no order gave a verdict. */
  readonly points: number | null;
};

export type Side = "a" | "b" | "tie" | null;

/**
 * Each two are shown in both orders. Where the verdicts disagree it is a tie, as FastChat counts them; where one of them could
 * not be read the other counts.
 */
export async function comparePairs(
  judge: Judge,
  texts: readonly string[],
  request: Omit<PairRequest, "responses">,
): Promise<Comparison[]> {
  const pairs = texts.flatMap((_, a) => texts.slice(a + 1).map((_, k): [number, number] => [a, a + 1 + k]));
  return Promise.all(
    pairs.map(async ([a, b]) => {
      const orders = await bothOrders(judge, [texts[a]!, texts[b]!], request);
      return { a, b, orders, points: pointsOf(orders) };
    }),
  );
}

export async function bothOrders(
  judge: Judge,
  [a, b]: readonly [string, string],
  request: Omit<PairRequest, "responses">,
): Promise<readonly [Side, Side]> {
  if (!judge.prefer)
    throw new TaskError({
      code: "no-pairs",
      message: `a ${judge.kind} judge scores one response at a time and cannot be shown two`,
      help: "leave out `compare: pairs`, or let an assistant judge: api(…) or assistant(…)",
    });
  const [first, second] = await Promise.all([
    judge.prefer({ ...request, responses: [a, b] }),
    judge.prefer({ ...request, responses: [b, a] }),
  ]);
  const side = (verdict: typeof first, shown: { A: Side; B: Side }): Side =>
    "malformed" in verdict ? null : verdict.preferred === "tie" ? "tie" : shown[verdict.preferred];
  return [side(first, { A: "a", B: "b" }), side(second, { A: "b", B: "a" })];
}

/** Points of `a`. */
export function pointsOf([first, second]: readonly [Side, Side]): number | null {
  const points = { a: 1, b: 0, tie: 0.5 };
  if (first === null) return second === null ? null : points[second];
  if (second === null) return points[first];
  return first === second ? points[first] : 0.5;
}
