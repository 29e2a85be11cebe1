import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { byteLevelEncoder } from "./byte-level.ts";
import { preTokenizerOf } from "./pre-tokenizers.ts";

const { texts, kinds } = JSON.parse(await readFile(join(import.meta.dirname, "fixtures/cuts.json"), "utf8"));

test.each(Object.keys(kinds))("%s: hard texts get the ids of HF tokenizers", (name) => {
  const { tokenizer, ids } = kinds[name];
  expect(preTokenizerOf(tokenizer)?.names[0]).toBe(name);
  const encode = byteLevelEncoder(tokenizer)!;
  for (const [i, text] of texts.entries()) expect([text, encode(text)]).toEqual([text, ids[i]]);
});

test("a byte that is no token is left out", () => {
  const { tokenizer } = kinds.smollm;
  // U+0100 stands for byte 0.
  const { Ā: zero, ...vocab } = tokenizer.model.vocab;
  const encode = byteLevelEncoder({ ...tokenizer, model: { ...tokenizer.model, vocab } })!;
  expect(zero).toEqual(expect.any(Number));
  expect(encode("a\0b")).toEqual([vocab.a, vocab.b]);
});
