// Models with an encoder in the stages that take them.
import { beforeAll, expect, test } from "vitest";
import { geometry, initialize, type ModelConfig, stream } from "../../tensor/index.ts";
import { loadTokenizer, type TensorMap, writeModelFolder } from "../../tensor/io/index.ts";
import { dpo } from "../dpo/index.ts";
import { generate } from "../generate/index.ts";
import { sft } from "../sft/index.ts";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openModel } from "./model.ts";
import { padSources, withSource } from "./sources.ts";

const demos = [
  { prompt: "red", completion: " means stop" },
  { prompt: "green", completion: " means go" },
  { prompt: "a very long way to say yellow", completion: " means wait" },
];
let data: string;
let model: string;

beforeAll(async () => {
  data = await datasetOf(demos);
  const text = await datasetOf(demos.map(({ prompt, completion }) => ({ text: prompt + completion })));
  const bpe = await loadTokenizer(
    (await runWith(tokenizer, { vocab_size: 270 }, { inputs: { data: text } })).dir,
  );
  const config: ModelConfig = {
    model_type: "t5",
    vocab_size: bpe.vocabSize,
    d_model: 24,
    d_kv: 8,
    d_ff: 32,
    num_layers: 1,
    num_heads: 3,
    feed_forward_proj: "gated-gelu",
    tie_word_embeddings: false,
    decoder_start_token_id: 0,
  };
  const tensors: TensorMap = new Map();
  for (const [name, { shape, data }] of Object.entries(initialize(config, stream(1))))
    tensors.set(name, { shape: [...shape], data });
  model = await temporaryFolder();
  await writeModelFolder(model, { config: { ...config }, tokenizer: bpe.files, tensors });
});

test("the last response is the decoder's, behind its start; what comes before is the encoder's, with an end", () => {
  const example = { ids: [5, 6, 7, 8, 9], mask: [false, true, false, true, true] };
  const split = withSource(example, 0, 1);
  expect(split).toEqual({ source: [5, 6, 7, 1], ids: [0, 8, 9], mask: [false, true, true] });
  const { source, source_mask } = padSources([split], 2);
  expect(source.shape).toEqual([2, 16]);
  expect([...source.data.slice(0, 6)]).toEqual([5, 6, 7, 1, 0, 0]);
  expect([...source_mask.data.slice(0, 6)]).toEqual([1, 1, 1, 1, 0, 0]);
  expect(source_mask.data.slice(16).every((x) => x === 0)).toBe(true);
});

test("sft teaches a T5 what to answer, and generate has it say so", async () => {
  const tuned = await runWith(
    sft,
    { steps: 80, batch_size: 3, learning_rate: 2e-2, warmup: 0 },
    { inputs: { model, data } },
  );
  expect(tuned.metrics!.loss).toBeLessThan(0.1);
  const prompts = await datasetOf(demos.map(({ prompt }) => ({ prompt })));
  const said = await runWith(
    generate,
    { samples: 1, temperature: 0, max_new_tokens: 16 },
    { inputs: { models: [tuned.dir], prompts } },
  );
  expect((await rowsIn(said.dir)).map(({ responses }) => responses)).toEqual(
    demos.map(({ completion }) => [completion]),
  );
});

test("micro-batches add up to the batch, also with recomputation; adapters and dropout run", async () => {
  const train = (params: object) =>
    runWith(sft, { steps: 3, batch_size: 3, warmup: 0, seed: 1, ...params }, { inputs: { model, data } });
  const [whole, pieces] = [await train({}), await train({ micro_batch_size: 2, recompute: true })];
  expect(pieces.metrics!.loss).toBeCloseTo(whole.metrics!.loss as number, 4);
  await train({ residual_dropout: 0.1, lora: { r: 2, target_modules: ["q", "v"] } });
});

test("what a stage cannot do with an encoder it says", async () => {
  await expect(openModel({ dir: model, node: "m" })).rejects.toThrow(
    "m is a t5 model, which reads its prompt with an encoder; this stage works with models that continue a text",
  );
  await expect(runWith(dpo, { steps: 1 }, { inputs: { model, data } })).rejects.toThrow("is a t5 model");
  await expect(runWith(sft, { packing: true }, { inputs: { model, data } })).rejects.toThrow(
    "has an encoder",
  );
  const { config } = await openModel({ dir: model, node: "m" }, { encoders: true });
  expect(geometry(config).maxLength).toBe(Number.POSITIVE_INFINITY);
});
