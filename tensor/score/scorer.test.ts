// Scoring: log-probabilities are a distribution's, and the divergence is what its definition says.

import { expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { nextTokenMask, randomIds, tinyConfig, tinyParams } from "../models/testing.ts";
import { createEvaluator } from "./evaluator.ts";
import { createScorer } from "./scorer.ts";

const config = tinyConfig;
const backend = await onnxBackend();

test("the probabilities of all 37 possible next tokens sum to 1", async () => {
  const scorer = createScorer({ backend, config, params: tinyParams() });
  const ids = tensor(
    Int32Array.from({ length: 37 * 3 }, (_, i) => (i % 3 < 2 ? 5 + (i % 3) : Math.floor(i / 3))),
    [37, 3],
  );
  const { data, shape } = await scorer.logprobs(ids);
  expect(shape).toEqual([37, 3]);
  let total = 0;
  for (let row = 0; row < 37; row++) {
    expect(data[row * 3]).toBe(0); // nothing predicts the first token
    total += Math.exp(data[row * 3 + 2]!);
  }
  expect(total).toBeCloseTo(1, 5);
});

test("KL is 0 against itself and equals Σ p (log p - log q) over masked tokens against another model", async () => {
  const [params, other] = [tinyParams(1), tinyParams(2)];
  const ids = randomIds(2, 6, "kl");
  const mask = tensor(Float32Array.of(0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1), [2, 6]);
  const self = createScorer({ backend, config, params, reference: { config, params } });
  expect([...(await self.kl(ids, nextTokenMask(2, 6))).data]).toEqual([0, 0]);

  const logits = createEvaluator({
    backend,
    models: { p: { config, params }, q: { config, params: other } },
    build: (b, { p, q }, { ids }) => ({ p: b.softmax(p!.logits(ids!)), q: b.softmax(q!.logits(ids!)) }),
  });
  const { p, q } = await logits.run({ ids });
  const byHand = [0, 0];
  for (let row = 0; row < 2; row++) {
    for (let t = 1; t < 6; t++) {
      for (let v = 0; v < 37; v++) {
        const at = (row * 6 + t - 1) * 37 + v; // position t-1 predicts token t
        byHand[row]! += mask.data[row * 6 + t]! * p!.data[at]! * Math.log(p!.data[at]! / q!.data[at]!);
      }
    }
  }
  const scorer = createScorer({ backend, config, params, reference: { config, params: other } });
  const { data } = await scorer.kl(ids, mask);
  expect(data[0]).toBeCloseTo(byHand[0]!, 4);
  expect(data[1]).toBeCloseTo(byHand[1]!, 4);
  expect(data[0]).toBeGreaterThan(0.1);
});

test("sequence log-probabilities are the same bits in a batch of other rows", async () => {
  const scorer = createScorer({ backend, config, params: tinyParams() });
  const ids = randomIds(5, 8, "rows");
  const all = (await scorer.sequenceLogprobs(ids, nextTokenMask(5, 8))).data;
  const two = await scorer.sequenceLogprobs(tensor(ids.data.slice(16, 32), [2, 8]), nextTokenMask(2, 8));
  expect(two.data).toEqual(all.slice(2, 4));
  const tokens = (await scorer.logprobs(ids)).data;
  expect(all[0]).toBeCloseTo(
    tokens.subarray(0, 8).reduce((s, x) => s + x, 0),
    4,
  );
});

test("weights are read at the call, so a scorer follows a trainer", async () => {
  let params = tinyParams(1);
  const scorer = createScorer({ backend, config, params: () => params });
  const ids = randomIds(1, 5, "follow");
  const before = (await scorer.logprobs(ids)).data;
  params = tinyParams(2);
  expect((await scorer.logprobs(ids)).data).not.toEqual(before);
  params = tinyParams(1);
  expect((await scorer.logprobs(ids)).data).toEqual(before);
});

test("kl without a reference says what to give", async () => {
  const scorer = createScorer({ backend, config, params: tinyParams() });
  await expect(scorer.kl(randomIds(1, 3, 1), nextTokenMask(1, 3))).rejects.toThrow(
    "kl needs a reference model",
  );
});
