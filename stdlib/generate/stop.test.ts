// Where a response ends: at a token of the model's, at a text that was asked for, or when there is no more room.
import { expect, test } from "vitest";
import { initialize, stream } from "../../tensor/index.ts";
import { openBackend } from "../training/backend.ts";
import type { OpenModel } from "../training/model.ts";
import { respond } from "./respond.ts";

const config = {
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
/** Token n is the n-th letter from `a`; nothing ends by itself unless told. */
const model = (stops: readonly number[]) =>
  ({
    config,
    geometry: { vocabSize: 32, hiddenSize: 16, maxLength: 64, cache: [] },
    params: initialize({ ...config, initializer_range: 1 } as typeof config, stream("stop")),
    stops,
    tokenizer: {
      eos: 31,
      decode: (ids: readonly number[]) => ids.map((id) => String.fromCharCode(97 + id)).join(""),
    },
  }) as unknown as OpenModel;
const sampling = {
  temperature: 1,
  top_k: 0,
  top_p: 1,
  min_p: 0,
  repetition_penalty: 1,
  max_new_tokens: 20,
  seed: 1,
  samples: 1,
};
const prompts = ["x", "y", "z"].map((id, i) => ({ id, ids: [i + 1] }));

async function texts(stop: readonly string[], stops: readonly number[] = []) {
  const backend = await openBackend({ device: "cpu", threads: 1 });
  const rows = await respond(backend, model(stops), prompts, { ...sampling, stop }, () => {});
  return rows.map(([response]) => response!);
}

test("a text that was asked for ends a response and is not part of it", async () => {
  const whole = await texts([]);
  expect(whole.map(({ ended }) => ended)).toEqual([false, false, false]);
  const first = whole[0]!.text;
  const wanted = first.slice(7, 9);
  const at = first.indexOf(wanted);
  const [cut, ...others] = await texts([wanted]);
  expect(cut).toMatchObject({ text: first.slice(0, at), ended: true });
  expect(cut!.ids).toHaveLength(at + 2);
  for (const [i, { text }] of others.entries()) expect(whole[i + 1]!.text.startsWith(text)).toBe(true);
});

test("every token that the model's settings name ends a response", async () => {
  const whole = await texts([]);
  const token = whole[1]!.ids[5]!;
  const [, cut] = await texts([], [31, token]);
  const at = whole[1]!.ids.indexOf(token);
  expect(cut).toMatchObject({ ids: whole[1]!.ids.slice(0, at + 1), ended: true });
});
