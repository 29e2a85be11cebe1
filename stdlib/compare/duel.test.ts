import { expect, test } from "vitest";
import { type Decided, metricsOf, positions } from "./duel.ts";

const options = { confidence: 0.95, resamples: 200, seed: 1 };
const row = (points: number | null, response: number, baseline: number): Decided => ({
  outcomes: [{ points }],
  lengths: [[response, baseline]],
});

test("a prompt without a verdict is counted and left out of every rate", () => {
  const metrics = metricsOf(
    [row(1, 10, 5), row(0, 5, 10), row(0.5, 7, 7), row(null, 1, 2), row(1, 4, 8)],
    options,
  );
  // (1 + 0 + ½ + 1) / 4; longer, shorter, equal, shorter: (1 + 0 + ½ + 0) / 4; decided with a longer one: yes, yes, no.
  expect(metrics).toMatchObject({ win_rate: 0.625, longest_win_rate: 0.375, malformed: 1 });
  expect(metrics.prefers_longer).toBeCloseTo(2 / 3, 12);
  expect(metrics).not.toHaveProperty("position_consistency");
});

test("a judge that always takes the first is never consistent", () => {
  expect(
    positions([
      ["a", "b"],
      ["a", "b"],
    ]),
  ).toEqual({ position_consistency: 0, prefers_first: 1 });
  // Consistent in two of three; of four decided verdicts in those and two in the other, first were: a; b of order two; a.
  expect(
    positions([
      ["a", "a"],
      ["tie", "tie"],
      ["a", "b"],
      [null, "a"],
    ]),
  ).toEqual({ position_consistency: 2 / 3, prefers_first: 3 / 4 });
});
