// A T5 that is made here: its shape, its sentinels, its seed.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { parameterCount } from "../../tensor/index.ts";
import { loadTokenizer } from "../../tensor/io/index.ts";
import { datasetOf, runWith } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openModel } from "../training/model.ts";
import { encoderDecoder } from "./index.ts";

const tiny = { layers: 1, decoder_layers: 2, hidden_size: 16, heads: 2, intermediate_size: 24, extra_ids: 3 };
let words: string;

beforeAll(async () => {
  const data = await datasetOf([{ text: "low low low lower lowest ".repeat(8) }]);
  words = (await runWith(tokenizer, { vocab_size: 262 }, { inputs: { data } })).dir;
});

const fresh = (params: object = {}, from = words) =>
  runWith(encoderDecoder, { ...tiny, ...params }, { inputs: { tokenizer: from } });

test("a fresh T5 has the shape that was asked for, and every weight of transformers' names", async () => {
  const { dir, metrics } = await fresh();
  const { config, params, geometry } = await openModel({ dir, node: "m" }, { encoders: true });
  const file = JSON.parse(await readFile(join(dir, "config.json"), "utf8"));
  // transformers 5 refuses an integer here.
  expect(file).not.toHaveProperty("initializer_factor");
  expect(file).toMatchObject({
    architectures: ["T5ForConditionalGeneration"],
    model_type: "t5",
    vocab_size: 265,
    d_model: 16,
    d_kv: 8,
    num_layers: 1,
    num_decoder_layers: 2,
    feed_forward_proj: "gated-gelu",
    tie_word_embeddings: false,
    is_encoder_decoder: true,
    decoder_start_token_id: 0,
  });
  // Two tables of 265 × 16; 4 × 16² a map of attention, 3 × 16 × 24 an MLP: one of each in the encoder's block, 2 + 1 in each of the
  // decoder's two; 2 × 32 buckets × 2 heads; norms of 16: 2 + 1 in the encoder, 2 × 3 + 1 in the decoder.
  const attention = 4 * 16 ** 2;
  const mlp = 3 * 16 * 24;
  expect(metrics!.parameters).toBe(2 * 265 * 16 + 5 * attention + 3 * mlp + 2 * 64 + 10 * 16);
  expect(parameterCount(config)).toBe(metrics!.parameters);
  expect(geometry.decoderStart).toBe(0);
  const { data } = params["shared.weight"]!;
  const variance = data.reduce((sum, x) => sum + x * x, 0) / data.length;
  expect(variance).toBeCloseTo(1, 1);
});

test("sentinels stand behind the vocabulary, the first one last, and are never split", async () => {
  const own = await loadTokenizer(words);
  const { dir } = await fresh();
  const made = await loadTokenizer(dir);
  expect(made.vocabSize).toBe(own.vocabSize + 3);
  expect([0, 1, 2].map((i) => made.id(`<extra_id_${i}>`))).toEqual([264, 263, 262]);
  const [low, lower] = [own.encode("low"), own.encode(" lower")];
  expect(made.encode("low<extra_id_1> lower")).toEqual([...low, 263, ...lower]);
  expect(made.decode([...low, 263, ...lower])).toBe("low lower");
  // A model's tokenizer, which has them, makes another model.
  await expect(fresh({}, dir)).rejects.toThrow("has sentinels (`<extra_id_0>`) already");
  expect((await loadTokenizer((await fresh({ extra_ids: 0 }, dir)).dir)).vocabSize).toBe(265);
});

test("the same seed is the same model; a deeper one begins with the same lower layers", async () => {
  const weights = async (params: object) =>
    (await openModel({ dir: (await fresh(params)).dir, node: "m" }, { encoders: true })).params;
  const [one, deeper] = [await weights({}), await weights({ layers: 2 })];
  expect(await weights({})).toEqual(one);
  for (const [name, weight] of Object.entries(one)) expect(deeper[name], name).toEqual(weight);
});

test("heads that do not divide the width need a size of their own", async () => {
  await expect(fresh({ heads: 3 })).rejects.toThrow("heads must divide hidden_size 16");
  expect((await fresh({ heads: 3, head_size: 4 })).metrics!.parameters).toBeGreaterThan(0);
  await expect(fresh({ relative_attention_num_buckets: 30 })).rejects.toThrow("multiple of 4");
  await expect(fresh({ relative_attention_max_distance: 16 })).rejects.toThrow("must be > 16");
});
