// Rank classification: scores of continuations against the scorer's own numbers, whatever batch they land in.

import { afterAll, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { architectureFixture, maxDifference, tinyConfig, tinyParams } from "../models/testing.ts";
import { scoreContinuations } from "./continuations.ts";
import { createScorer } from "./scorer.ts";

const scorer = createScorer({ backend: await onnxBackend(), config: tinyConfig, params: tinyParams() });
afterAll(() => scorer.dispose());

const items = [
  { prompt: [1, 2, 3], continuations: [[4], [5, 6], [7, 8, 9, 10]] },
  { prompt: [11], continuations: [[12, 13]] },
];

test("sum, mean and tokens are those of the whole sequence scored alone", async () => {
  const scores = await scoreContinuations(scorer, items, { batch_size: 2, bucket: 4 });
  for (const [i, { prompt, continuations }] of items.entries()) {
    for (const [j, continuation] of continuations.entries()) {
      const whole = Int32Array.from([...prompt, ...continuation]);
      const { data } = await scorer.logprobs(tensor(whole, [1, whole.length]));
      const wanted = data.slice(prompt.length);
      const { sum, mean, logprobs } = scores[i]![j]!;
      expect(logprobs).toHaveLength(continuation.length);
      logprobs.forEach((x, t) => {
        expect(x).toBeCloseTo(wanted[t]!, 5);
      });
      expect(sum).toBeCloseTo(
        wanted.reduce((total, x) => total + x, 0),
        5,
      );
      expect(mean).toBeCloseTo(sum / continuation.length, 6);
    }
  }
});

test("do not depend on the other items or on the size of the batch", async () => {
  const all = await scoreContinuations(scorer, items, { batch_size: 8, bucket: 8 });
  const [one] = await scoreContinuations(scorer, [items[1]!], { batch_size: 8, bucket: 8 });
  expect(one).toEqual(all[1]);
});

test("answers of one token are read from one pass over their prompt, longer ones take a pass each", async () => {
  let passes = 0;
  const counting = {
    ...scorer,
    logprobsAt(...args: Parameters<typeof scorer.logprobsAt>) {
      passes++;
      return scorer.logprobsAt(...args);
    },
  };
  const item = { prompt: [1, 2, 3], continuations: [[4], [5, 6], [7], [8]] };
  const [scores] = await scoreContinuations(counting, [item], { batch_size: 1 });
  expect(passes).toBe(2);
  const alone = await scoreContinuations(
    scorer,
    item.continuations.map((each) => ({ prompt: item.prompt, continuations: [each] })),
  );
  expect(scores!.map(({ sum }) => sum)).toEqual(alone.map(([score]) => expect.closeTo(score!.sum, 5)));
});

test("an empty prompt or continuation and one beyond the limit are refused by number", async () => {
  const score = (prompt: number[], continuation: number[], max_length?: number) =>
    scoreContinuations(scorer, [{ prompt, continuations: [continuation] }], {
      ...(max_length !== undefined && { max_length }),
    });
  await expect(score([], [1])).rejects.toThrow("item 0 has an empty prompt");
  await expect(score([1], [])).rejects.toThrow("continuation 0 of item 0 is empty");
  await expect(score([1, 2], [3, 4], 3)).rejects.toThrow("ends at token 4, the limit is 3");
});

test("a model with an encoder reads the prompts there, and scores every token of the continuations", async () => {
  const { config, params } = architectureFixture("t5");
  const pair = createScorer({ backend: await onnxBackend(), config, params });
  const scores = await scoreContinuations(pair, items, { batch_size: 3, bucket: 4 });
  for (const [i, { prompt, continuations }] of items.entries()) {
    for (const [j, continuation] of continuations.entries()) {
      const whole = Int32Array.from([0, ...continuation]); // 0 is the decoder's start
      const ones = new Float32Array(prompt.length).fill(1);
      const { data } = await pair.logprobs(tensor(whole, [1, whole.length]), {
        ids: tensor(Int32Array.from(prompt), [1, prompt.length]),
        mask: tensor(ones, [1, prompt.length]),
      });
      const { logprobs } = scores[i]![j]!;
      expect(logprobs).toHaveLength(continuation.length);
      expect(maxDifference(logprobs, data.slice(1))).toBeLessThan(1e-5);
    }
  }
  await pair.dispose();
});
