// Sampling: the distribution that the options describe, and one draw per token.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stream } from "../random.ts";
import { checkSampling, penalized, type SamplingOptions, sampleToken, temperedLogprob } from "./sample.ts";

const row = (...p: number[]) => Float32Array.from(p, Math.log);

/** Relative frequencies of 4000 draws: standard error at most √(0.25/4000) = 0.008. */
function frequencies(
  logprobs: Float32Array,
  options: SamplingOptions,
  allowed?: (id: number) => boolean,
): number[] {
  const random = stream("frequencies");
  const counts = new Array<number>(logprobs.length).fill(0);
  for (let i = 0; i < 4000; i++) counts[sampleToken({ logprobs }, options, random, allowed)]!++;
  return counts.map((n) => n / 4000);
}

const near = (got: number[], wanted: number[]) =>
  wanted.forEach((w, i) => {
    expect(Math.abs(got[i]! - w), `token ${i}: ${got[i]} for ${w}`).toBeLessThan(w === 0 ? 1e-12 : 0.03);
  });

test("the log-probability of a token at a temperature is that of the distribution it is drawn from", () => {
  const p = row(0.1, 0.4, 0.3, 0.2);
  expect(temperedLogprob(p, 3, 1)).toBe(p[3]);
  // At 0.5 they are squared: .04 of .01 + .16 + .09 + .04.
  expect(temperedLogprob(p, 3, 0.5)).toBeCloseTo(Math.log(0.04 / 0.3), 6);
});

describe("sampleToken", () => {
  const p = row(0.1, 0.4, 0.3, 0.2);

  test("at temperature 0 takes the most probable, the lowest id at a tie, and draws nothing", () => {
    const random = stream(1);
    expect(sampleToken({ logprobs: row(0.2, 0.4, 0.4) }, { temperature: 0 }, random)).toBe(1);
    expect(random.state()).toEqual(stream(1).state());
  });

  test("at temperature 1 follows the distribution", () =>
    near(frequencies(p, { temperature: 1 }), [0.1, 0.4, 0.3, 0.2]));

  test("weights that come along are drawn by", () => {
    const weights = Float32Array.of(0.25, 0, 0.75, 0);
    const random = stream("weights");
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 4000; i++)
      counts[sampleToken({ logprobs: p, weights }, { temperature: 1 }, random)]!++;
    near(
      counts.map((n) => n / 4000),
      [0.25, 0, 0.75, 0],
    );
  });

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

  test("min_p keeps what is at least that fraction as probable as the best", () => {
    // 0.5 of 0.4 is 0.2: the fourth just stays, but 0.1 goes. At temperature 0.5 the odds are 1 : 16 : 9 : 4.
    near(frequencies(p, { temperature: 1, min_p: 0.49 }), [0, 4 / 9, 3 / 9, 2 / 9]);
    near(frequencies(p, { temperature: 0.5, min_p: 0.5 }), [0, 16 / 25, 9 / 25, 0]);
    near(frequencies(p, { temperature: 1, top_k: 2, min_p: 0.8 }), [0, 1, 0, 0]); // 0.3 is below 0.8 · 0.4
  });

  test("banned tokens are out before top_k counts", () => {
    near(
      frequencies(p, { temperature: 1, top_k: 2 }, (id) => id !== 1),
      [0, 0, 0.6, 0.4],
    );
    expect(() => sampleToken({ logprobs: p }, { temperature: 1 }, stream(1), () => false)).toThrow(
      "every token is banned",
    );
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
          const token = sampleToken({ logprobs }, { temperature: 1, top_k, top_p }, stream(seed));
          expect(kept).toContain(token);
        },
      ),
      { seed: 3 },
    );
  });
});

describe("the repetition penalty", () => {
  // Logits 2, -1, 0.5; their log-sum-exp is the normaliser.
  const logits = [2, -1, 0.5];
  const normalizer = Math.log(logits.reduce((sum, x) => sum + Math.exp(x), 0));
  const logprobs = Float32Array.from(logits, (x) => x - normalizer);

  test("divides a positive logit and multiplies a negative one, of seen tokens only", () => {
    const out = penalized(logprobs, normalizer, [0, 1], 2);
    // 2 / 2 = 1, -1 · 2 = -2, 0.5 untouched
    [1, -2, 0.5].forEach((x, i) => {
      expect(out[i]! + normalizer).toBeCloseTo(x, 6);
    });
  });

  test("leaves the given array alone", () => {
    const before = logprobs.slice();
    penalized(logprobs, normalizer, [0, 1, 2], 1.3);
    expect(logprobs).toEqual(before);
  });
});

test("nonsense options are refused by name", () => {
  for (const [options, message] of [
    [{ min_p: 1.5 }, "min_p is 1.5, must be in [0, 1]"],
    [{ repetition_penalty: 0 }, "repetition_penalty is 0, must be > 0"],
    [{ top_p: 0 }, "top_p is 0"],
    [{ top_k: 1.5 }, "top_k is 1.5"],
  ] as const) {
    expect(() => checkSampling({ temperature: 1, ...options })).toThrow(message);
  }
});
