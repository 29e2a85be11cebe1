// Losses against hand arithmetic and against the constants executed from other trainers' sources.

import { describe, expect, test } from "vitest";
import { referenceBackend } from "../backends/reference/index.ts";
import { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { crossEntropy, sequenceLogprobs } from "./cross-entropy.ts";
import { fullKl } from "./kl.ts";

/** Evaluates a graph of constants in float64. */
async function evaluate(build: (b: Builder) => Record<string, Value>): Promise<Record<string, number[]>> {
  const b = new Builder();
  const out = await (await referenceBackend("f64").compile(b.finish(build(b)))).run({});
  return Object.fromEntries(Object.entries(out).map(([name, data]) => [name, [...data]]));
}

const close = (got: readonly number[] | undefined, wanted: readonly number[], digits = 9) => {
  expect(got).toHaveLength(wanted.length);
  for (const [i, w] of wanted.entries()) expect(got![i]).toBeCloseTo(w, digits);
};

describe("cross-entropy", () => {
  const rows = [-1, -2, -4, -8, -16, -32];
  const mask = [0, 1, 1, 0, 0, 1];

  test("is the mean over supervised tokens", async () => {
    // (2 + 4 + 32) / 3
    const out = await evaluate((b) => ({
      loss: crossEntropy(b, b.constant(rows, [2, 3]), b.constant(mask, [2, 3])),
    }));
    close(out.loss, [38 / 3]);
  });

  test("a given token count divides instead, so pieces add up to the whole", async () => {
    const piece = (from: number) =>
      evaluate((b) => ({
        loss: crossEntropy(
          b,
          b.constant(rows.slice(from, from + 3), [1, 3]),
          b.constant(mask.slice(from, from + 3), [1, 3]),
          b.scalar(3),
        ),
      }));
    // 6/3 + 32/3 = 38/3
    expect((await piece(0)).loss![0]! + (await piece(3)).loss![0]!).toBeCloseTo(38 / 3, 12);
  });

  test("of nothing supervised is 0, not NaN", async () => {
    const out = await evaluate((b) => ({
      loss: crossEntropy(b, b.constant(rows, [2, 3]), b.constant([0, 0, 0, 0, 0, 0], [2, 3])),
    }));
    expect(Math.abs(out.loss![0]!)).toBe(0);
  });

  test("sequence log-probabilities sum the masked tokens of each row", async () => {
    const out = await evaluate((b) => ({
      sums: sequenceLogprobs(b, b.constant(rows, [2, 3]), b.constant(mask, [2, 3])),
    }));
    close(out.sums, [-6, -32]);
  });
});

test("full KL is Σ p log(p/q): 0 against itself, by hand otherwise", async () => {
  const out = await evaluate((b) => {
    const p = b.constant([Math.log(0.5), Math.log(0.5), Math.log(0.9), Math.log(0.1)], [2, 2]);
    const q = b.constant([Math.log(0.5), Math.log(0.5), Math.log(0.5), Math.log(0.5)], [2, 2]);
    return { kl: fullKl(b, p, q) };
  });
  // 0.9 ln(0.9/0.5) + 0.1 ln(0.1/0.5) = 0.3680642072
  close(out.kl, [0, 0.3680642072]);
});
