// What training changes in the forward pass holds for every family, not only for Llama.

import { expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { initializeLora, isAdapter } from "../models/lora.ts";
import { sourceOf } from "../models/model.ts";
import {
  architectureFixture,
  type architectureNames,
  maxDifference,
  nextTokenMask,
} from "../models/testing.ts";
import { adamw } from "../optim/adamw.ts";
import { stream } from "../random.ts";
import { createTrainer, type TrainerOptions } from "./trainer.ts";

const backend = await onnxBackend();
type Name = (typeof architectureNames)[number];

function open(name: Name, options: Partial<TrainerOptions> = {}) {
  const { config, params } = architectureFixture(name);
  return createTrainer({
    backend,
    config,
    params,
    loss: (b, model, batch) => ({
      loss: crossEntropy(b, model.tokenLogprobs(batch.ids!, sourceOf(model, batch)), batch.mask!),
    }),
    // Plain enough that rounding does not decide the sign of an update.
    optimizer: adamw({ eps: 1e-2 }),
    ...options,
  });
}

function batchOf(name: Name) {
  const { ids, source } = architectureFixture(name);
  return {
    ids,
    mask: nextTokenMask(2, 10),
    ...(source && { source: source.ids, source_mask: source.mask }),
  };
}

const rate = { learning_rate: 1e-2 };

test.each(["mistral", "gpt2", "gpt_neox", "t5"] as const)(
  "recomputation changes no bit of a step of %s",
  async (name) => {
    const [plain, again] = [open(name), open(name, { recompute: true })];
    const batch = batchOf(name);
    expect(await again.step(batch, rate)).toEqual(await plain.step(batch, rate));
    expect(again.params()).toEqual(plain.params());
  },
);

test.each(["mistral", "qwen2", "qwen3", "gpt2", "gpt_neox"] as const)(
  "two examples packed in a row train %s as two rows do",
  async (name) => {
    const { ids } = architectureFixture(name);
    const index = (f: (i: number) => number) =>
      tensor(
        Int32Array.from({ length: 20 }, (_, i) => f(i)),
        [1, 20],
      );
    const [rows, row] = [open(name), open(name)];
    const apart = await rows.step(batchOf(name), rate);
    const together = await row.step(
      {
        ids: tensor(ids.data, [1, 20]),
        mask: tensor(nextTokenMask(2, 10).data, [1, 20]),
        segment_ids: index((i) => 1 + Math.floor(i / 10)),
        position_ids: index((i) => i % 10),
      },
      rate,
    );
    expect(together.loss).toBeCloseTo(apart.loss, 5);
    expect(together.grad_norm / apart.grad_norm).toBeCloseTo(1, 4);
    for (const [weight, { data }] of Object.entries(rows.params())) {
      expect(maxDifference(row.params()[weight]!.data, data), weight).toBeLessThan(1e-4);
    }
  },
);

test.each([
  ["mistral", ["q_proj", "v_proj"]],
  ["gpt2", ["c_attn", "c_proj"]],
  ["gpt_neox", ["query_key_value"]],
  ["t5", ["q", "v"]],
] as const)("adapters of %s begin as nothing and learn alone", async (name, target_modules) => {
  const { params } = architectureFixture(name);
  const lora = initializeLora(params, { r: 2, alpha: 4, target_modules }, stream("lora"));
  const adapted = open(name, { params: { ...params, ...lora }, trainable: isAdapter, lora: { alpha: 4 } });
  const batch = batchOf(name);
  const first = await adapted.step(batch, rate);
  expect(first.loss).toBeCloseTo((await open(name).step(batch, rate)).loss, 5);
  for (let i = 0; i < 3; i++) await adapted.step(batch, rate);
  expect((await adapted.step(batch, rate)).loss).toBeLessThan(first.loss);
  for (const [weight, { data }] of Object.entries(params)) {
    expect(adapted.params()[weight]!.data, weight).toEqual(data);
  }
});
