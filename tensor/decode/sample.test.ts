// Sampling: the distribution that the options describe, and one draw per token.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stream } from "../random.ts";
import { type SamplingOptions, sampleToken } from "./sample.ts";

const row = (...p: number[]) => Float32Array.from(p, Math.log);

/** Relative frequencies of 4000 draws: standard error at most √(0.25/4000) = 0.008. */
function frequencies(
  logprobs: Float32Array,
  options: SamplingOptions,
  allowed?: (id: number) => boolean,
): number[] {
  const random = stream("frequencies");
  const counts = new Array<number>(logprobs.length).fill(0);
  for (let i = 0; i < 4000; i++) counts[sampleToken(logprobs, options, random, allowed)]!++;
  return counts.map((n) => n / 4000);
}

const near = (got: number[], wanted: number[]) =>
  wanted.forEach((w, i) => {
    expect(Math.abs(got[i]! - w), `token ${i}: ${got[i]} for ${w}`).toBeLessThan(w === 0 ? 1e-12 : 0.03);
  });

describe("sampleToken", () => {
  const p = row(0.1, 0.4, 0.3, 0.2);

  test("at temperature 0 takes the most probable, the lowest id at a tie, and draws nothing", () => {
    const random = stream(1);
    expect(sampleToken(row(0.2, 0.4, 0.4), { temperature: 0 }, random)).toBe(1);
    expect(random.state()).toEqual(stream(1).state());
  });

  test("at temperature 1 follows the distribution", () =>
    near(frequencies(p, { temperature: 1 }), [0.1, 0.4, 0.3, 0.2]));

  test("temperature 0.5 squares the odds", () => {
    // 1 : 16 : 9 : 4 of 30
    near(frequencies(p, { temperature: 0.5 }), [1 / 30, 16 / 30, 9 / 30, 4 / 30]);
  });

  test("top_k 2 keeps the two most probable", () => {
    near(frequencies(p, { temperature: 1, top_k: 2 }), [0, 4 / 7, 3 / 7, 0]);
  });

  test("top_p keeps the fewest that reach the mass", () => {
    // 0.4 + 0.3 = 0.7 < 0.75 ≤ 0.9 = 0.4 + 0.3 + 0.2
    near(frequencies(p, { temperature: 1, top_p: 0.75 }), [0, 4 / 9, 3 / 9, 2 / 9]);
    near(frequencies(p, { temperature: 1, top_p: 0.39 }), [0, 1, 0, 0]);
  });

  test("banned tokens are out before top_k counts", () => {
    near(
      frequencies(p, { temperature: 1, top_k: 2 }, (id) => id !== 1),
      [0, 0, 0.6, 0.4],
    );
    expect(() => sampleToken(p, { temperature: 1 }, stream(1), () => false)).toThrow("every token is banned");
  });

  test("top_k and top_p never draw outside the set that sorting everything would give", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -8, max: 0, noNaN: true }), { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        fc.nat(),
        (values, top_k, top_p, seed) => {
          const logprobs = Float32Array.from(values);
          const sorted = [...logprobs.keys()]
            .sort((i, j) => logprobs[j]! - logprobs[i]! || i - j)
            .slice(0, top_k);
          const total = sorted.reduce((s, id) => s + Math.exp(logprobs[id]!), 0);
          let mass = 0;
          const kept = sorted.filter((id) => {
            const before = mass;
            mass += Math.exp(logprobs[id]!) / total;
            return before < top_p + 1e-9;
          });
          const token = sampleToken(logprobs, { temperature: 1, top_k, top_p }, stream(seed));
          expect(kept).toContain(token);
        },
      ),
      { seed: 3 },
    );
  });
});
