import { expect, test } from "vitest";
import { bootstrapInterval, mean, normalQuantile, quantile, wilsonInterval, winRate } from "./statistics.ts";

test("a tie counts half a win", () => {
  // 3 > 1 wins, 2 = 2 ties, 0 < 5 loses, 4 > 3 wins: (1 + ½ + 0 + 1) / 4
  expect(winRate([3, 2, 0, 4], [1, 2, 5, 3])).toBe(0.625);
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

test("Wilson's interval", () => {
  // z = 1.959964, z² = 3.841459, n = 10, p = 0.8:
  // centre (0.8 + 3.841459/20) / 1.3841459 = 0.9920729 / 1.3841459 = 0.716740
  // half 1.959964/1.3841459 · sqrt(0.016 + 3.841459/400) = 1.416010 · 0.160012 = 0.226578
  const { low, high } = wilsonInterval(8, 10, 0.95);
  expect(low).toBeCloseTo(0.71674 - 0.226578, 5);
  expect(high).toBeCloseTo(0.71674 + 0.226578, 5);
  // It stays inside [0, 1] where the normal interval does not.
  expect(wilsonInterval(10, 10, 0.95).high).toBeCloseTo(1, 12);
});

test("quantiles of the normal distribution", () => {
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 7);
  expect(normalQuantile(0.5)).toBe(0);
  expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306167813, 7);
  expect(normalQuantile(0.999)).toBeCloseTo(3.090232306167813, 7);
});
