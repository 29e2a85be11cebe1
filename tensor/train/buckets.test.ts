// Buckets: which weights are laid end to end, and that an update of the whole moves each as it would move alone.

import { expect, test } from "vitest";
import type { Backend } from "../backends/backend.ts";
import { onnxBackend } from "../backends/onnx/index.ts";
import { type Params, tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { nextTokenMask, randomIds, relativeDifference, tinyConfig, tinyParams } from "../models/testing.ts";
import { adafactor } from "../optim/adafactor.ts";
import { adamw } from "../optim/adamw.ts";
import { bucketsOf, store } from "./buckets.ts";
import { createTrainer } from "./trainer.ts";

const weights = (shapes: Readonly<Record<string, readonly number[]>>): Params =>
  Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      tensor(new Float32Array(shape.reduce((n, d) => n * d, 1)), shape),
    ]),
  );
const names = (params: Params, join = true) =>
  bucketsOf(params, join).map(({ members }) => members.map(({ name }) => name));

test("small matrices share a bucket, vectors another one, and a large weight stays alone", () => {
  const params = weights({ a: [4, 2], norm: [4], big: [512, 512], b: [2, 3], bias: [2] });
  expect(names(params)).toEqual([["a", "b"], ["norm", "bias"], ["big"]]);
  expect(bucketsOf(params, true).map(({ shape }) => shape)).toEqual([[1, 14], [6], [512, 512]]); // 4·2 + 2·3, 4 + 2
  expect(names(params, false)).toEqual([["a"], ["norm"], ["big"], ["b"], ["bias"]]);
});

test("a bucket ends at 2^18 numbers", () => {
  // Three matrices of 2^17 - 512: two fit, the third does not.
  expect(names(weights({ a: [255, 512], b: [255, 512], c: [255, 512] }))).toEqual([["a", "b"], ["c"]]);
});

test("weights are views into their bucket", () => {
  const { buckets, params } = store(bucketsOf(weights({ a: [1, 2], b: [2, 1] }), true), (name) =>
    name === "a" ? Float32Array.of(1, 2) : Float32Array.of(3, 4),
  );
  expect(Object.values(buckets).map((x) => [...x])).toEqual([[1, 2, 3, 4]]);
  buckets["*0"]![2] = 9;
  expect([...params.b!.data]).toEqual([9, 4]);
});

test("weights and moments come out as they do when every weight is updated alone", async () => {
  const joined = await onnxBackend();
  const apart: Backend = { ...joined, reclaim: async () => {} };
  const [x, y] = [joined, apart].map((backend) =>
    createTrainer({
      backend,
      config: tinyConfig,
      params: tinyParams(),
      optimizer: adamw({ weight_decay: 0.1 }),
      max_grad_norm: 1,
      loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
    }),
  );
  for (let i = 0; i < 3; i++) {
    const batch = { ids: randomIds(3, 9, i), mask: nextTokenMask(3, 9) };
    for (const trainer of [x!, y!]) await trainer.step(batch, { learning_rate: 3e-3 });
  }
  await y!.settle();
  const [p, q] = [x!.state(), y!.state()];
  expect(Object.keys(p.params)).toEqual(Object.keys(tinyParams()));
  for (const name of Object.keys(p.params)) {
    expect(relativeDifference(p.params[name]!.data, q.params[name]!.data), name).toBeLessThan(1e-5);
    expect(relativeDifference(p.slots.v![name]!.data, q.slots.v![name]!.data), name).toBeLessThan(1e-5);
  }
});

test("only optimisers that treat each number alone are given buckets", () => {
  expect([adamw().elementwise, adafactor().elementwise]).toEqual([true, false]);
});
