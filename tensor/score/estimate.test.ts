// What scoring is said to cost, against the programs that it really runs.

import { expect, test } from "vitest";
import type { Backend } from "../backends/backend.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { flopsOf } from "../ir/cost.ts";
import { optimize } from "../ir/passes/optimize.ts";
import { architectureFixture, tinyConfig, tinyParams } from "../models/testing.ts";
import { scoreContinuations } from "./continuations.ts";
import { scoringCost } from "./estimate.ts";
import { createScorer } from "./scorer.ts";

const portions = [
  [
    { prompt: [1, 2, 3], continuations: [[4], [5, 6], [7, 8, 9, 10]] },
    { prompt: [11], continuations: [[12, 13]] },
  ],
  [{ prompt: [5, 4, 3, 2, 1], continuations: [[6], [7]] }],
];
const options = { batch_size: 2, bucket: 4 };

/** A backend that adds up the operations of every run. */
function counting(): { backend: Backend; done: { flops: number; runs: number } } {
  const done = { flops: 0, runs: 0 };
  const inner = referenceBackend();
  return {
    done,
    backend: {
      ...inner,
      async compile(graph, given) {
        const program = await inner.compile(graph, given);
        return {
          ...program,
          run(feeds) {
            done.flops += flopsOf(optimize(graph));
            done.runs++;
            return program.run(feeds);
          },
        };
      },
    },
  };
}

test.each([
  ["a decoder", { config: tinyConfig, params: tinyParams() }],
  ["an encoder-decoder model", architectureFixture("t5")],
])("%s: operations, passes and tokens are those of the run", async (_, { config, params }) => {
  const { backend, done } = counting();
  const scorer = createScorer({ backend, config, params });
  for (const items of portions) await scoreContinuations(scorer, items, options);
  const cost = scoringCost(config, portions, options);
  expect(cost.flops).toBe(done.flops);
  const once = scoringCost(config, [portions[1]!], options);
  expect(cost.traffic / once.traffic).toBe(done.runs); // the second portion is one pass
  expect(cost.tokens).toBeGreaterThan(once.tokens);
});

test("a shape that comes again costs work and no memory", () => {
  const [once, twice] = [
    scoringCost(tinyConfig, [portions[1]!], options),
    scoringCost(tinyConfig, [portions[1]!, portions[1]!], options),
  ];
  // One sequence of 5 tokens, padded to 8, in a batch of two: 16 places.
  expect(once.tokens).toBe(16);
  expect(twice).toEqual({
    ...once,
    flops: 2 * once.flops,
    traffic: 2 * once.traffic,
    tokens: 2 * once.tokens,
  });
});
