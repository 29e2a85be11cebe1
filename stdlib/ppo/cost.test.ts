// What `align plan` says of reinforcement learning.

import { expect, test } from "vitest";
import type { Known } from "../../engine/index.ts";
import { parameterCount } from "../../tensor/index.ts";
import { library } from "../index.ts";

const config = {
  vocab_size: 300,
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  rms_norm_eps: 1e-5,
  max_position_embeddings: 64,
};
const known = (node: string, facts: Known["facts"]): Known => ({
  node,
  facts,
  metrics: {},
  open: async () => undefined,
});
const model = known("base", { config });
const prompts = known("prompts", { rows: 500 });
const judge = known("judge", {});

const shared = {
  episodes: 320,
  batch_size: 32,
  minibatch_size: 16,
  max_new_tokens: 12,
  inner_epochs: 2,
  max_grad_norm: 1,
  recompute: false,
  optimizer: "adamw",
  learning_rate: 1e-4,
  weight_decay: 0,
  adam_beta1: 0.9,
  adam_beta2: 0.95,
  adam_epsilon: 1e-8,
  clip: 0.2,
  entropy_coef: 0,
  temperature: 1,
  ptx_coef: 0,
};

async function planned(name: "ppo" | "rloo" | "grpo", params = {}, inputs = {}) {
  const estimate = await library.get(name)!.estimate!();
  return await estimate({
    params: { ...shared, ...params } as never,
    inputs: { model: [model], prompts: [prompts], reward: [judge], ...inputs },
    files: {},
    before: {},
  });
}

test("a plan counts tokens and bytes, and twice the episodes are twice the work", async () => {
  const { cost, note } = await planned("ppo");
  // A prompt is taken to have half of 64 tokens. 10 iterations of 32 episodes of 32 + 12 tokens, sampled once and trained on twice.
  expect(cost!.tokens).toBe(10 * 32 * 44 * 3);
  expect(cost!.disk).toBe(4 * parameterCount(config));
  expect(note).toBe("as if every prompt had 32 tokens");
  const twice = await planned("ppo", { episodes: 640 });
  expect(twice.cost!.flops! / cost!.flops!).toBeCloseTo(2, 6);
  expect(twice.cost!.memory).toBe(cost!.memory);
});

test("a value function of its own takes memory and work, one on the policy's trunk only a reading of the episodes", async () => {
  const of = async (...args: Parameters<typeof planned>) => (await planned(...args)).cost!;
  const [own, on, none] = [
    await of("ppo"),
    await of("ppo", { value_init: "shared", value_coef: 0.1 }),
    await of("rloo"),
  ];
  expect(own.flops! / none.flops!).toBeGreaterThan(1.4);
  expect(own.memory!).toBeGreaterThan(on.memory!);
  expect(on.memory!).toBeLessThan(1.02 * none.memory!);
  // Forward once, beside sampling and two epochs of three times that.
  expect(on.flops! / none.flops!).toBeGreaterThan(1.05);
  expect(on.flops! / none.flops!).toBeLessThan(1.2);
});

test("a reference of its own and a reward model are weights that are held and read", async () => {
  const bytes = 4 * parameterCount(config);
  const alone = (await planned("grpo")).cost!;
  const both = (await planned("grpo", {}, { reference: [model], reward: [model] })).cost!;
  // The reward model has no head for tokens.
  expect(both.memory! - alone.memory!).toBe(2 * bytes - 4 * 300 * 32);
  expect(both.flops!).toBeGreaterThan(alone.flops!);
});

test("smaller pieces take less memory", async () => {
  const [whole, pieces] = [await planned("ppo"), await planned("ppo", { micro_batch_size: 4 })];
  expect(pieces.cost!.memory).toBeLessThan(whole.cost!.memory!);
});

test("without the model's shape there is nothing to say", async () => {
  expect(await planned("ppo", {}, { model: [judge] })).toEqual({
    note: "the shape of judge is not known yet",
  });
});
