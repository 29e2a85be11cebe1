import { expect, test } from "vitest";
import { bootstrapInterval, mean, quantile, winOf } from "./statistics.ts";

test("a tie counts half a win", () => {
  // 3 > 1 wins, 2 = 2 ties, 0 < 5 loses, 4 > 3 wins: (1 + ½ + 0 + 1) / 4
  const wins = [winOf(3, 1), winOf(2, 2), winOf(0, 5), winOf(4, 3)];
  expect(mean(wins)).toBe(0.625);
});

test("a quantile lies between its neighbours", () => {
  // 0.25 of [10, 20, 30, 40]: place 0.25 · 3 = 0.75, so 10 + 0.75 · 10
  expect(quantile([10, 20, 30, 40], 0.25)).toBe(17.5);
  expect(quantile([10, 20, 30, 40], 1)).toBe(40);
  expect(quantile([7], 0.3)).toBe(7);
});

test("the bootstrap of equal values is that value, and of any values the same for the same seed", () => {
  const options = { seed: 1, resamples: 200, confidence: 0.95 };
  expect(bootstrapInterval([2, 2, 2], options)).toEqual({ low: 2, high: 2 });
  const values = [0, 1, 5, 2, 8];
  expect(bootstrapInterval(values, options)).toEqual(bootstrapInterval(values, options));
  expect(bootstrapInterval(values, { ...options, seed: 2 })).not.toEqual(bootstrapInterval(values, options));
});

test("the bootstrap interval of a proportion is close to the normal one", () => {
  // 50 ones of 100: p = 0.5, standard error sqrt(0.25 / 100) = 0.05, so 0.5 ± 1.96 · 0.05 = [0.402, 0.598]
  const values = Array.from({ length: 100 }, (_, i) => i % 2);
  const { low, high } = bootstrapInterval(values, { seed: 3, resamples: 4000, confidence: 0.95 });
  expect(low).toBeCloseTo(0.402, 1.5);
  expect(high).toBeCloseTo(0.598, 1.5);
  expect(mean(values)).toBe(0.5);
});
