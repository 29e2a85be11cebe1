// What pretraining makes of blocks of text, and that a T5 learns from it.
import { beforeAll, describe, expect, test } from "vitest";
import { type HostTensor, stream } from "../../tensor/index.ts";
import { decoder } from "../decoder/index.ts";
import { encoderDecoder } from "../encoder-decoder/index.ts";
import { datasetOf, runWith } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { readDocuments } from "../training/blocks.ts";
import { openModel } from "../training/model.ts";
import { pretrain } from "./index.ts";
import { objectiveOf } from "./objectives.ts";

const geometry = {
  vocabSize: 100,
  hiddenSize: 8,
  maxLength: Number.POSITIVE_INFINITY,
  cache: [],
  decoderStart: 0,
};
const about = { node: "m", geometry, eos: 9, sentinels: [99, 98, 97] };
const counted = (length: number) => ({
  length,
  blocks: 4,
  at: (block: number) => Array.from({ length }, (_, i) => 10 * (block + 1) + i),
});
const draw = (block: number) => stream(1).split(block);
/** The rows of an array without what fills them up. */
const rows = ({ data, shape }: HostTensor, lengths: readonly number[]) =>
  lengths.map((n, row) => Array.from(data.slice(row * shape[1]!, row * shape[1]! + n)));
const sum = ({ data }: HostTensor) => Array.from(data).reduce((n, x) => n + x, 0);

test("span corruption: what the encoder reads and the decoder says together are the text", () => {
  const objective = objectiveOf({ sequence_length: 16, noise_density: 0.3 }, about);
  // 20 tokens lose 6 in 2 spans: 14 + 2 sentinels, and an end would be 17; 19 lose 6 as well: 13 + 2 + 1 = 16.
  expect(objective.length).toBe(19);
  const blocks = counted(19);
  const { source, ids, mask } = objective.arrays(blocks, [2], 1, draw) as Record<string, HostTensor>;
  const [read] = rows(source!, [16]) as [number[]];
  const [said] = rows(ids!, [10]) as [number[]];
  expect(read.at(-1)).toBe(9);
  expect([said[0], said[1], said.at(-1)]).toEqual([0, 99, 9]);
  const text = (ids: number[]) => ids.filter((id) => id >= 10 && id < 90);
  expect([...text(read), ...text(said)].sort((a, b) => a - b)).toEqual(blocks.at(2));
  expect([read, said].map((ids) => ids.filter((id) => id > 90))).toEqual([
    [99, 98],
    [99, 98],
  ]);
  // All but the start are predicted: 6 tokens, 2 sentinels, the end.
  expect(sum(mask!)).toBe(9);
  expect(objective.tokens(blocks, [2, 0], draw)).toBe(18);
});

test("prefix LM: the encoder reads the first tokens, the decoder goes on", () => {
  const objective = objectiveOf({ objective: "prefix_lm", sequence_length: 6 }, about);
  // Five tokens and an end of text would be six.
  expect([objective.length, objective.packed]).toEqual([5, false]);
  const blocks = counted(5);
  const cuts = new Set<number>();
  for (let seed = 0; seed < 40; seed++) {
    const by = () => stream(seed);
    const { source, source_mask, ids } = objective.arrays(blocks, [0], 1, by) as Record<string, HostTensor>;
    const read = sum(source_mask!);
    const whole = [...rows(source!, [read])[0]!.slice(0, -1), ...rows(ids!, [8 - read])[0]!.slice(1, -1)];
    expect(whole).toEqual([10, 11, 12, 13, 14]);
    expect(objective.tokens(blocks, [0], by)).toBe(7 - read);
    cuts.add(read - 1);
  }
  expect([...cuts].sort()).toEqual([1, 2, 3, 4]);
});

test("an objective for another kind of model, or for more sentinels than there are, is refused", () => {
  expect(() => objectiveOf({ objective: "next_token" }, about)).toThrow("m reads its input with an encoder");
  expect(() => objectiveOf({}, about)).toThrow(
    "512 tokens lose 28 spans, and the tokenizer of m has 3 sentinels",
  );
  const { decoderStart: _, ...causal } = geometry;
  expect(() => objectiveOf({ objective: "prefix_lm" }, { ...about, geometry: causal })).toThrow(
    "prefix_lm wants a model with an encoder, and m has none",
  );
});

test("documents by themselves: long ones in pieces, what is one token alone left out", async () => {
  const data = { dir: await datasetOf([{ text: "abcdefg" }, { text: "h" }, { text: "ijk" }]), node: "d" };
  const letters = { encode: (text: string) => [...text].map((c) => c.charCodeAt(0)), eos: 0, vocabSize: 200 };
  const { blocks, at } = await readDocuments(data, letters, 3);
  const pieces = Array.from({ length: blocks }, (_, i) => String.fromCharCode(...Array.from(at(i))));
  // The seventh letter stands alone.
  expect(pieces).toEqual(["abc", "def", "ijk"]);
  const single = { dir: await datasetOf([{ text: "h" }]), node: "d" };
  await expect(readDocuments(single, letters, 3)).rejects.toThrow("no text of d has two tokens");
});

describe("a small T5", () => {
  const text = ["red means stop", "green means go", "yellow means wait", "blue means nothing"];
  let data: string;
  let words: string;
  let fresh: string;

  beforeAll(async () => {
    data = await datasetOf(text.flatMap((text) => Array(12).fill({ text })));
    words = (await runWith(tokenizer, { vocab_size: 280 }, { inputs: { data } })).dir;
    const size = { layers: 1, hidden_size: 24, heads: 3, intermediate_size: 32, extra_ids: 8, seed: 1 };
    fresh = (await runWith(encoderDecoder, size, { inputs: { tokenizer: words } })).dir;
  });

  const run = (params: object, model = fresh) =>
    runWith(
      pretrain,
      { steps: 60, batch_size: 4, sequence_length: 12, learning_rate: 1e-2, seed: 1, ...params },
      { inputs: { model, data, eval: data } },
    );

  test("learns from spans and then from prefixes, and micro-batches add up", async () => {
    const spans = await run({});
    // ln 288 = 5.7 before.
    expect(spans.metrics!.eval_loss).toBeLessThan(3);
    const adapted = await run({ objective: "prefix_lm" }, spans.dir);
    const unadapted = await run({ objective: "prefix_lm", steps: 1, learning_rate: 1e-9 }, spans.dir);
    expect(adapted.metrics!.eval_loss).toBeLessThan(unadapted.metrics!.eval_loss as number);

    const [whole, pieces] = [await run({ steps: 3 }), await run({ steps: 3, micro_batch_size: 3 })];
    expect(pieces.metrics!.tokens).toBe(whole.metrics!.tokens);
    expect(pieces.metrics!.eval_loss).toBeCloseTo(whole.metrics!.eval_loss as number, 4);
  });

  test("the same seed is the same model, another noise another", async () => {
    const weights = async (params: object) =>
      (await openModel({ dir: (await run({ steps: 3, ...params })).dir, node: "m" }, { encoders: true }))
        .params["shared.weight"]!.data;
    expect(await weights({})).toEqual(await weights({}));
    expect(await weights({ noise_density: 0.4 })).not.toEqual(await weights({}));
  });

  test("noise that nothing uses is refused, and so is a decoder that should fill gaps", async () => {
    await expect(run({ objective: "prefix_lm", noise_density: 0.3 })).rejects.toThrow(
      "has no effect with objective",
    );
    const causal = await runWith(
      decoder,
      { layers: 1, hidden_size: 16, heads: 2 },
      { inputs: { tokenizer: words } },
    );
    await expect(run({ objective: "span_corruption" }, causal.dir)).rejects.toThrow("has none");
  });
});
