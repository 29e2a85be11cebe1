// The Llama graphs against transformers, and decoding against the whole-sequence form.

import { describe, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { createGenerator } from "../decode/generator.ts";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { adamw } from "../optim/adamw.ts";
import { stream } from "../random.ts";
import { createEvaluator } from "../score/evaluator.ts";
import { createScorer } from "../score/scorer.ts";
import { createTrainer } from "../train/trainer.ts";
import { initialize, parameterCount, parameterShapes } from "./config.ts";
import { dimensions } from "./llama-config.ts";
import { llamaFixture, maxDifference, nextTokenMask, randomIds, tinyConfig, tinyParams } from "./testing.ts";

const backends = [
  ["reference", async () => referenceBackend()],
  ["onnx", () => onnxBackend()],
] as const;

describe.each(backends)("on %s", (_name, open) => {
  test("logits match transformers to 1e-4 on the same weights", async () => {
    const { config, params, ids, logits } = llamaFixture();
    const evaluator = createEvaluator({
      backend: await open(),
      models: { m: { config, params } },
      build: (_b, { m }, { ids }) => ({ logits: m!.logits(ids!) }),
    });
    const out = await evaluator.run({ ids });
    const difference = maxDifference(out.logits!.data, logits.data);
    console.log(`logits: max difference ${difference.toExponential(2)}`);
    expect(out.logits!.shape).toEqual([2, 10, 40]);
    expect(difference).toBeLessThan(1e-4);
    await evaluator.dispose();
  });

  test("two clipped AdamW steps match torch: loss, gradient norm and every weight", async () => {
    const { config, params, ids, adamw: wanted } = llamaFixture();
    const trainer = createTrainer({
      backend: await open(),
      config,
      params,
      loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
      optimizer: adamw({ beta2: 0.95, weight_decay: 0.1 }),
      max_grad_norm: 1,
    });
    for (const [i, loss] of wanted.losses.entries()) {
      const result = await trainer.step({ ids, mask: nextTokenMask(2, 10) }, { learning_rate: 1e-2 });
      expect(result.loss).toBeCloseTo(loss, 4);
      expect(result.grad_norm).toBeCloseTo(wanted.grad_norms[i]!, 3);
    }
    for (const [name, { data }] of Object.entries(trainer.params())) {
      expect(maxDifference(data, wanted.params[name]!.data), name).toBeLessThan(1e-4);
    }
    await trainer.dispose();
  });

  test("decoding with a cache gives the log-probabilities of the whole-sequence form, to 1e-5", async () => {
    const [backend, config, params] = [await open(), tinyConfig, tinyParams()];
    const generator = createGenerator({ backend, config, params });
    const scorer = createScorer({ backend, config, params });
    const prompts = [[3], [5, 9, 2, 11], [1, 2, 3, 4, 5, 6, 7]];
    const answers = await generator.generate(prompts, {
      max_new_tokens: 6,
      temperature: 1,
      eos: [],
      random: stream(4),
    });
    for (const [i, { ids, logprobs }] of answers.entries()) {
      const whole = Int32Array.from([...prompts[i]!, ...ids]);
      const scored = await scorer.logprobs(tensor(whole, [1, whole.length]));
      expect(ids).toHaveLength(6);
      expect(maxDifference(logprobs, scored.data.subarray(prompts[i]!.length))).toBeLessThan(1e-5);
    }
    await generator.dispose();
    await scorer.dispose();
  });
});

test("what comes after a token does not change its log-probability, so right padding is harmless", async () => {
  const scorer = createScorer({ backend: await onnxBackend(), config: tinyConfig, params: tinyParams() });
  const ids = Int32Array.of(4, 8, 15, 16, 23, 30, 0, 0);
  const short = await scorer.logprobs(tensor(ids.slice(0, 6), [1, 6]));
  const padded = await scorer.logprobs(tensor(ids, [1, 8]));
  expect(maxDifference(short.data, padded.data.subarray(0, 6))).toBeLessThan(1e-6);
  await scorer.dispose();
});

test("attention in blocks of queries trains like attention in one piece", async () => {
  // 256 tokens go in two blocks, 257 in one; the 257th is masked, so both steps are the same.
  const config = { ...tinyConfig, max_position_embeddings: 512 };
  const long = randomIds(1, 257, "long").data;
  const step = async (T: number) => {
    const trainer = createTrainer({
      backend: await onnxBackend(),
      config,
      params: tinyParams(),
      loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
      optimizer: adamw({ eps: 1e-3 }),
    });
    const mask = tensor(
      Float32Array.from({ length: T }, (_, t) => Number(t > 0 && t < 256)),
      [1, T],
    );
    const result = await trainer.step(
      { ids: tensor(long.slice(0, T), [1, T]), mask },
      { learning_rate: 1e-2 },
    );
    return { ...result, params: trainer.params() };
  };
  const [blocks, whole] = [await step(256), await step(257)];
  expect(blocks.loss).toBeCloseTo(whole.loss, 5);
  expect(blocks.grad_norm).toBeCloseTo(whole.grad_norm, 4);
  for (const [name, { data }] of Object.entries(whole.params)) {
    expect(maxDifference(blocks.params[name]!.data, data), name).toBeLessThan(1e-5);
  }
});

test("the parameter count is the sum over the Hugging Face names", () => {
  // 37·16 embedding (tied) + 16 last norm + 2 layers of
  // 2·16 norms + (16+8+8)·16 qkv + 16·16 o + 3·24·16 MLP = 32 + 512 + 256 + 1152 = 1952
  expect(parameterCount(tinyConfig)).toBe(592 + 16 + 2 * 1952);
  expect(Object.keys(parameterShapes(tinyConfig))).not.toContain("lm_head.weight");
  expect(Object.keys(parameterShapes({ ...tinyConfig, tie_word_embeddings: false }))).toContain(
    "lm_head.weight",
  );
});

test("fresh weights have the asked spread, norms of one, and come again from the same seed", () => {
  const config = { ...tinyConfig, vocab_size: 500, initializer_range: 0.02 };
  const embedding = initialize(config, stream(1))["model.embed_tokens.weight"]!.data;
  const variance = embedding.reduce((s, x) => s + x * x, 0) / embedding.length;
  expect(Math.sqrt(variance)).toBeCloseTo(0.02, 3); // 8000 draws: standard error 0.02/√16000 = 0.00016
  expect(initialize(config, stream(1))["model.norm.weight"]!.data).toEqual(new Float32Array(16).fill(1));
  expect(initialize(config, stream(1))["model.embed_tokens.weight"]!.data).toEqual(embedding);
  expect(initialize(config, stream(2))["model.embed_tokens.weight"]!.data).not.toEqual(embedding);
});

test("a config that the model would compute wrongly is refused", () => {
  expect(() => dimensions({ ...tinyConfig, rope_scaling: { rope_type: "yarn" } })).toThrow(
    'rope type "yarn"',
  );
  expect(() => dimensions({ ...tinyConfig, hidden_act: "gelu" })).toThrow('hidden_act "gelu"');
  expect(() => dimensions({ ...tinyConfig, num_key_value_heads: 3 })).toThrow("4 heads do not share 3");
  expect(() => dimensions({ ...tinyConfig, hidden_size: 18 })).toThrow("head_dim is 4.5");
});
