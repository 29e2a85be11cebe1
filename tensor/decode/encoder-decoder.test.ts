// Decoding with an encoder: rows are independent of their batch although each place keeps its source's keys for a while.

import { afterAll, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { architectureFixture } from "../models/testing.ts";
import { stream } from "../random.ts";
import { createGenerator, type GenerateOptions } from "./generator.ts";

const backend = await onnxBackend();
const { config, params } = architectureFixture("t5-v1.1");
const open = (batch_size: number) => createGenerator({ backend, config, params, batch_size });
const [wide, narrow] = [open(16), open(4)];
afterAll(async () => {
  await wide.dispose();
  await narrow.dispose();
});

const random = stream("sources");
// Up to 81 tokens: the encoder's slots are not the decoder's.
const sources = [41, 1, 33, 5, 81, 2, 17, 9, 60].map((n) => Array.from({ length: n }, () => random.int(40)));
const options: GenerateOptions = {
  max_new_tokens: 12,
  temperature: 1,
  eos: [3, 7, 11, 20, 30], // rows end at different times, so places are taken over and the batch shrinks
  random: stream("answers"),
};

test("a row's tokens are the same whatever was in its place before", async () => {
  const wanted = await wide.generate(sources, options);
  expect(new Set(wanted.map(({ ids }) => ids.length)).size).toBeGreaterThan(2);
  expect(await narrow.generate(sources, options)).toEqual(wanted);
  for (const i of [1, 4]) {
    const [alone] = await wide.generate([sources[i]!], { ...options, row_ids: [i] });
    expect([...alone!.ids]).toEqual([...wanted[i]!.ids]);
  }
});

test("an answer may be longer than its source, and needs no room beside it", async () => {
  const [row] = await wide.generate([[5]], { ...options, eos: [], max_new_tokens: 70 });
  expect(row).toMatchObject({ stop: "length" });
  expect(row!.ids).toHaveLength(70);
});
