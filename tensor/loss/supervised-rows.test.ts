// Supervising listed rows gives the loss and the gradients of supervising through a mask.

import { expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { randomIds, relativeDifference, tinyConfig, tinyParams } from "../models/testing.ts";
import { adamw } from "../optim/adamw.ts";
import { createTrainer, type LossFn } from "../train/trainer.ts";
import { crossEntropy, sequenceLogprobs } from "./cross-entropy.ts";
import { sumPerSequence, supervisedRows } from "./supervised-rows.ts";

const ids = tensor(Int32Array.of(5, 6, 7, 8, 9, 10, 11, 12), [2, 4]);

test("rows point one before the supervised tokens, and the rest is padding of weight 0", () => {
  const mask = tensor(Float32Array.of(1, 0, 1, 1, 0, 1, 0, 0), [2, 4]); // token (0,0) has no prediction
  const { rows, targets, weights, sequence } = supervisedRows(ids, mask, 4);
  expect([...rows.data]).toEqual([1, 2, 4, 0]);
  expect([...targets.data]).toEqual([7, 8, 10, 0]);
  expect([...weights.data]).toEqual([1, 1, 1, 0]);
  expect([...sequence.data]).toEqual([0, 0, 1, 0]);
  expect(supervisedRows(ids, tensor(new Float32Array(8), [2, 4]), 4).rows.shape).toEqual([4]);
});

test("one step through rows equals one step through the mask", async () => {
  const backend = await onnxBackend();
  const ids = randomIds(3, 10, "rows");
  const mask = tensor(
    Float32Array.from({ length: 30 }, (_, i) => Number(i % 10 > 6)),
    [3, 10],
  );
  const open = (loss: LossFn) =>
    createTrainer({ backend, config: tinyConfig, params: tinyParams(), loss, optimizer: adamw() });
  const byMask = open((b, model, { ids, mask }) => {
    const logprobs = model.tokenLogprobs(ids!);
    const first = b.slice(sequenceLogprobs(b, logprobs, mask!), 0, 1, 2);
    return { loss: crossEntropy(b, logprobs, mask!), metrics: { second: b.sum(first) } };
  });
  const byRows = open((b, model, { ids, rows, targets, weights, sequence }) => {
    const logprobs = model.logprobsAt(ids!, rows!, targets!);
    const sums = sumPerSequence(b, logprobs, weights!, sequence!, 3);
    return { loss: crossEntropy(b, logprobs, weights!), metrics: { second: b.sum(b.slice(sums, 0, 1, 2)) } };
  });
  const x = await byMask.step({ ids, mask }, { learning_rate: 1e-3 });
  const y = await byRows.step({ ids, ...supervisedRows(ids, mask, 4) }, { learning_rate: 1e-3 });
  expect(y.loss).toBeCloseTo(x.loss, 5);
  expect(y.grad_norm).toBeCloseTo(x.grad_norm, 5);
  expect(y.metrics.second).toBeCloseTo(x.metrics.second!, 4);
  for (const [name, { data }] of Object.entries(byMask.params())) {
    expect(relativeDifference(byRows.params()[name]!.data, data), name).toBeLessThan(1e-4);
  }
});
