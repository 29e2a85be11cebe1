// Rows that come and go while others are decoded: each is what it would be alone.

import { afterAll, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { tinyConfig, tinyParams } from "../models/testing.ts";
import { stream } from "../random.ts";
import { createGenerator, type GenerateOptions } from "./generator.ts";

const config = { ...tinyConfig, max_position_embeddings: 256 };
const generator = createGenerator({
  backend: await onnxBackend(),
  config,
  params: tinyParams(),
  batch_size: 8,
});
afterAll(() => generator.dispose());

const random = stream("prompts");
const prompts = Array.from({ length: 20 }, (_, i) => Array.from({ length: 1 + 7 * i }, () => random.int(37)));
const options: GenerateOptions = {
  max_new_tokens: 20,
  temperature: 1,
  eos: [3, 7],
  random: stream("answers"),
};
const ask = (i: number, more: Partial<GenerateOptions> = {}, signal?: AbortSignal) =>
  generator.submit(prompts[i]!, { ...options, row_ids: [i], ...more }, signal);
const alone = await generator.generate(prompts, options);

test("rows that join one after the other, longer and longer, are the bits that they are in one batch", async () => {
  const joined: Promise<unknown>[] = [];
  // Each joins when the one before has drawn its second token: the batch grows from 2 to 8 rows, and from 64 to 256 slots.
  const next = (i: number): void => {
    if (i === prompts.length) return;
    let drawn = 0;
    const generation = ask(i, { onToken: () => ++drawn === 2 && next(i + 1) });
    joined.push(generation);
    void generation.then(() => drawn < 2 && next(i + 1));
  };
  next(0);
  for (let i = 0; i < prompts.length; i++) {
    while (joined.length <= i) await Promise.resolve();
    expect(await joined[i]).toEqual(alone[i]);
  }
});

test("all at once, more than there are places, and again when it had come to rest", async () => {
  for (let round = 0; round < 2; round++)
    expect(await Promise.all(prompts.map((_, i) => ask(i)))).toEqual(alone);
});

test("one that is called off leaves at once, and the others go on", async () => {
  const abort = new AbortController();
  let drawn = 0;
  const off = ask(
    0,
    { eos: [], onToken: () => ++drawn === 3 && abort.abort(new Error("gone")) },
    abort.signal,
  );
  const [gone, ...others] = await Promise.allSettled([off, ask(5), ask(6)]);
  expect(gone).toMatchObject({ status: "rejected", reason: { message: "gone" } });
  expect(drawn).toBe(3);
  expect(others).toEqual([5, 6].map((i) => ({ status: "fulfilled", value: alone[i] })));
  await expect(ask(1, {}, abort.signal)).rejects.toThrow("gone");
});

test("one whose listener throws fails alone", async () => {
  const thrown = ask(0, {
    onToken: () => {
      throw new Error("full");
    },
  });
  const [bad, good] = await Promise.allSettled([thrown, ask(4)]);
  expect(bad).toMatchObject({ status: "rejected", reason: { message: "full" } });
  expect(good).toEqual({ status: "fulfilled", value: alone[4] });
});
