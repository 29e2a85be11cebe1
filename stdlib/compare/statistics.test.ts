import { expect, test } from "vitest";
import {
  bootstrapInterval,
  kappa,
  lengthControlledWinRate,
  mean,
  normalQuantile,
  quantile,
  wilsonInterval,
  winOf,
} from "./statistics.ts";

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

test("Wilson's interval of 8 in 10 at 95% is [0.490, 0.943], and that of 0 in 10 does not end below 0", () => {
  // z = 1.96, z² = 3.8415: (0.8 + 0.19207) / 1.38415 = 0.71674; 1.41606 · √(0.016 + 0.0096036) = 0.22658
  const { low, high } = wilsonInterval(0.8, 10, 0.95);
  expect(low).toBeCloseTo(0.49016, 5);
  expect(high).toBeCloseTo(0.94332, 5);
  expect(wilsonInterval(0, 10, 0.95)).toEqual({ low: 0, high: expect.closeTo(0.27753, 5) });
});

test("normal quantiles", () => {
  expect(normalQuantile(0.5)).toBeCloseTo(0, 9);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959963985, 8);
  expect(normalQuantile(0.001)).toBeCloseTo(-3.090232306, 8);
});

test("a judge that only prefers the longer one leaves even chances when length is controlled", () => {
  // Of 30 longer ones 24 are won, 80%; of 10 that are shorter by as much 2, 20%: 65% in all, and with equal lengths nobody is ahead.
  const differences = Array.from({ length: 40 }, (_, i) => (i < 30 ? 50 : -50));
  const points = differences.map((_, i) => (i < 24 || i >= 38 ? 1 : 0));
  expect(mean(points)).toBe(0.65);
  expect(lengthControlledWinRate(points, differences)).toBeCloseTo(0.5, 2);
});

test("where length has nothing to do with winning, the controlled rate is the rate", () => {
  // Of 20 longer and 20 shorter ones 15 each are won.
  const differences = Array.from({ length: 40 }, (_, i) => (i % 2 ? 30 : -30));
  const points = differences.map((_, i) => (i < 30 ? 1 : 0));
  expect(lengthControlledWinRate(points, differences)).toBeCloseTo(0.75, 2);
  expect(lengthControlledWinRate([1, 1, 1], [5, 0, -5])).toBeGreaterThan(0.95);
  expect(lengthControlledWinRate([1, 0.5], [0, 0])).toBeCloseTo(0.75, 2);
});

test("κ is the agreement beyond chance", () => {
  // They agree on 3 of 4; by chance on ¾·½ + ¼·½ = ½: (0.75 − 0.5) / 0.5
  expect(kappa(["a", "a", "a", "b"], ["a", "a", "b", "b"])).toBe(0.5);
  expect(kappa(["a", "a"], ["a", "a"])).toBe(1);
});
