// Every architecture against transformers on the same weights: logits, greedy text, one step of training; and decoding against itself.

import { describe, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { tfjsBackend } from "../backends/tfjs/index.ts";
import { createGenerator } from "../decode/generator.ts";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { adamw } from "../optim/adamw.ts";
import { stream } from "../random.ts";
import { createEvaluator } from "../score/evaluator.ts";
import { createScorer } from "../score/scorer.ts";
import { createTrainer } from "../train/trainer.ts";
import { geometry, initialize, type LlamaConfig, parameterShapes } from "./config.ts";
import { sourceOf } from "./model.ts";
import { bucketOf } from "./relative-positions.ts";
import {
  type ArchitectureFixture,
  architectureFixture,
  architectureNames,
  maxDifference,
  nextTokenMask,
} from "./testing.ts";

const onnx = await onnxBackend();
const backends = [
  ["reference", referenceBackend()],
  ["onnx", onnx],
] as const;
const all = [...backends, ["tfjs", await tfjsBackend()]] as const;

const fields = ({ source }: ArchitectureFixture) =>
  source ? { source: source.ids, source_mask: source.mask } : {};

/** What a generator is asked: the rows to continue, or the sources without their padding. */
function prompts({ ids, source }: ArchitectureFixture): Int32Array[] {
  const { shape, data } = source?.ids ?? ids;
  const T = shape[1]!;
  return [0, 1].map((r) => {
    const length = source ? source.mask.data.slice(r * T, (r + 1) * T).reduce((n, x) => n + x, 0) : T;
    return data.slice(r * T, r * T + length);
  });
}

describe.each(architectureNames)("%s", (name) => {
  const fixture = architectureFixture(name);
  const { config, params } = fixture;

  test("has exactly the weights of the Hugging Face model", () => {
    const shapesOf = Object.fromEntries(Object.entries(params).map(([n, { shape }]) => [n, shape]));
    expect(shapesOf).toEqual(parameterShapes(config));
  });

  test.each(all)("logits match transformers to 1e-4 on %s", async (where, backend) => {
    const evaluator = createEvaluator({
      backend,
      models: { m: { config, params } },
      build: (_b, { m }, batch) => ({ logits: m!.logits(batch.ids!, sourceOf(m!, batch)) }),
    });
    const { logits } = await evaluator.run({ ids: fixture.ids, ...fields(fixture) });
    const difference = maxDifference(logits!.data, fixture.logits.data);
    console.log(`${name} on ${where}: logits differ by at most ${difference.toExponential(1)}`);
    expect(logits!.shape).toEqual([2, 10, 40]);
    expect(difference).toBeLessThan(1e-4);
    await evaluator.dispose();
  });

  test.each(["live", "frozen"] as const)(
    "says the same 32 tokens greedily as transformers, %s",
    async (weights) => {
      const generator = createGenerator({ backend: onnx, config, params, weights });
      const answers = await generator.generate(prompts(fixture), {
        max_new_tokens: 32,
        temperature: 0,
        eos: [],
        random: stream(1),
      });
      expect(answers.map(({ ids }) => [...ids])).toEqual(fixture.greedy);
      await generator.dispose();
    },
  );

  test.each(backends)(
    "decoding with a cache equals teacher forcing to 1e-5 on %s",
    async (_where, backend) => {
      const generator = createGenerator({ backend, config, params });
      const scorer = createScorer({ backend, config, params });
      // Of three lengths, so that rows are padded and decode at different positions.
      const [p, q] = prompts(fixture) as [Int32Array, Int32Array];
      const asked = [p, q.slice(0, 3), q.slice(0, 7)];
      const answers = await generator.generate(asked, {
        max_new_tokens: 9,
        temperature: 1,
        eos: [],
        random: stream(4),
      });
      const start = geometry(config).decoderStart;
      for (const [i, { ids, logprobs }] of answers.entries()) {
        const prompt = asked[i]!;
        const before = start === undefined ? prompt : [start];
        const whole = Int32Array.from([...before, ...ids]);
        const ones = new Float32Array(prompt.length).fill(1);
        const scored = await scorer.logprobs(
          tensor(whole, [1, whole.length]),
          start === undefined
            ? undefined
            : { ids: tensor(prompt, [1, prompt.length]), mask: tensor(ones, [1, prompt.length]) },
        );
        expect(ids).toHaveLength(9);
        expect(maxDifference(logprobs, scored.data.subarray(before.length))).toBeLessThan(1e-5);
      }
      await generator.dispose();
      await scorer.dispose();
    },
  );

  test.each(backends)(
    "one clipped AdamW step matches torch on %s: loss, norm, every weight",
    async (_w, backend) => {
      const trainer = createTrainer({
        backend,
        config,
        params,
        loss: (b, model, batch) => ({
          loss: crossEntropy(b, model.tokenLogprobs(batch.ids!, sourceOf(model, batch)), batch.mask!),
        }),
        // eps far above rounding: weights whose gradient is zero but for noise (key biases) do not move.
        optimizer: adamw({ beta2: 0.95, eps: 1e-3, weight_decay: 0.1 }),
        max_grad_norm: 1,
      });
      const batch = { ids: fixture.ids, mask: nextTokenMask(2, 10), ...fields(fixture) };
      const { loss, grad_norm } = await trainer.step(batch, { learning_rate: 1e-2 });
      expect(loss).toBeCloseTo(fixture.adamw.loss, 4);
      expect(grad_norm / fixture.adamw.grad_norm).toBeCloseTo(1, 4);
      for (const [weight, { data }] of Object.entries(trainer.params())) {
        expect(maxDifference(data, fixture.adamw.params[weight]!.data), weight).toBeLessThan(1e-5);
      }
      await trainer.dispose();
    },
  );
});

test("fresh weights of every architecture train: the loss is near ln V and falls", async () => {
  for (const name of ["mistral", "qwen2", "qwen3", "gpt2", "gpt_neox", "t5", "t5-v1.1"] as const) {
    const fixture = architectureFixture(name);
    const config = { ...fixture.config, initializer_range: 0.02 };
    const trainer = createTrainer({
      backend: onnx,
      config,
      params: initialize(config, stream(1)),
      loss: (b, model, batch) => ({
        loss: crossEntropy(b, model.tokenLogprobs(batch.ids!, sourceOf(model, batch)), batch.mask!),
      }),
      optimizer: adamw(),
    });
    const batch = { ids: fixture.ids, mask: nextTokenMask(2, 10), ...fields(fixture) };
    const losses: number[] = [];
    for (let i = 0; i < 5; i++) losses.push((await trainer.step(batch, { learning_rate: 1e-2 })).loss);
    expect(Math.abs(losses[0]! - Math.log(40)), name).toBeLessThan(name.startsWith("t5") ? 1 : 0.1);
    expect(losses[4], name).toBeLessThan(losses[0]!);
    await trainer.dispose();
  }
});

test("a window in blocks of queries sees what it sees in one piece", async () => {
  // 256 tokens go in two blocks whose keys are cut at both ends, 250 in one with all keys.
  const { config, params } = architectureFixture("mistral");
  const long: LlamaConfig = { ...(config as LlamaConfig), max_position_embeddings: 256, sliding_window: 40 };
  const scorer = createScorer({ backend: onnx, config: long, params });
  const ids = Int32Array.from({ length: 256 }, (_, i) => (i * 7 + Math.floor(i / 9)) % 40);
  const blocks = await scorer.logprobs(tensor(ids, [1, 256]));
  const whole = await scorer.logprobs(tensor(ids.slice(0, 250), [1, 250]));
  expect(maxDifference(blocks.data.slice(0, 250), whole.data)).toBeLessThan(1e-5);
  const free = createScorer({ backend: onnx, config: { ...long, sliding_window: null }, params });
  expect(maxDifference((await free.logprobs(tensor(ids, [1, 256]))).data, blocks.data)).toBeGreaterThan(1e-2);
});

test("T5's buckets are those of transformers for every distance", () => {
  const { buckets } = architectureFixture("t5");
  const ours = (both: boolean) =>
    Array.from({ length: 401 }, (_, i) => bucketOf(i - 200, { buckets: 32, maxDistance: 128, both }));
  expect(ours(true)).toEqual(buckets!.bidirectional);
  expect(ours(false)).toEqual(buckets!.causal);
});

test("a source where there is no encoder, and none where there is one, are refused", async () => {
  const backend = onnx;
  const [plain, pair] = [architectureFixture("gpt2"), architectureFixture("t5")];
  const of = ({ config, params }: ArchitectureFixture) => createScorer({ backend, config, params });
  await expect(of(plain).logprobs(plain.ids, pair.source!)).rejects.toThrow("a gpt2 model has no encoder");
  await expect(of(pair).logprobs(pair.ids)).rejects.toThrow("a t5 model wants a source");
});

test("a config that a model would compute wrongly is refused, and so is an unknown model_type", () => {
  const gpt2 = { ...architectureFixture("gpt2").config, scale_attn_by_inverse_layer_idx: true };
  expect(() => parameterShapes(gpt2)).toThrow("scale_attn_by_inverse_layer_idx is not supported");
  const neox = { ...architectureFixture("gpt_neox").config, hidden_act: "swish" };
  expect(() => parameterShapes(neox)).toThrow('hidden_act "swish" is not supported, only gelu, gelu_new');
  const t5 = { ...architectureFixture("t5").config, feed_forward_proj: "gated-tanh" };
  expect(() => parameterShapes(t5)).toThrow('feed_forward_proj "tanh"');
  const unknown = { ...neox, model_type: "rwkv" } as unknown as typeof neox;
  expect(() => parameterShapes(unknown)).toThrow('models of type "rwkv" are not supported');
});
