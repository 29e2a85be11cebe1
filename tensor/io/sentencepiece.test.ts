// Pieces and ids that SentencePiece itself gave, see fixtures/make_pieces.py.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GgufMetadata } from "./gguf-header.ts";
import { tokenizerFilesOf, tokenizerMetadataOf } from "./gguf-tokenizer.ts";
import { mergesOf, scoresOf, spaceFirstIn, wordsInPieces } from "./sentencepiece.ts";
import { makeTokenizer } from "./tokenizer.ts";

const { pieces, scores, kinds, merges, texts } = JSON.parse(
  await readFile(join(import.meta.dirname, "fixtures/pieces.json"), "utf8"),
) as {
  pieces: string[];
  scores: number[];
  kinds: number[];
  merges: [string, string][];
  texts: { text: string; ids: number[]; decoded: string }[];
};

const metadata = (more: GgufMetadata = new Map()): GgufMetadata =>
  new Map<string, NonNullable<ReturnType<GgufMetadata["get"]>>>([
    ["tokenizer.ggml.model", "llama"],
    ["tokenizer.ggml.tokens", pieces],
    ["tokenizer.ggml.scores", Float32Array.from(scores)],
    ["tokenizer.ggml.token_type", Int32Array.from(kinds)],
    ["tokenizer.ggml.bos_token_id", 1],
    ["tokenizer.ggml.eos_token_id", 2],
    ["tokenizer.ggml.unknown_token_id", 0],
    ...more,
  ]);

test("merges stand in the order in which transformers has them", () => {
  const whole = (i: number) => [2, 3, 4].includes(kinds[i]!);
  expect(mergesOf(pieces.map((text, i) => ({ text, score: scores[i]!, whole: whole(i) })))).toEqual(merges);
});

test("of merges that make one piece the first gives the score", () => {
  // `abc` is a+bc or ab+c: ranks 1 and 2.
  expect([
    ...scoresOf([
      ["a", "b"],
      ["a", "bc"],
      ["ab", "c"],
    ]),
  ]).toEqual([
    ["ab", -0],
    ["abc", -1],
  ]);
});

describe("a tokenizer out of a GGUF file", () => {
  const tokenizer = makeTokenizer(tokenizerFilesOf(metadata(), "model.gguf"));

  test.each(texts)("gives $text the ids of SentencePiece, and the text back", ({ text, ids, decoded }) => {
    expect(tokenizer.encode(text)).toEqual(ids);
    expect(tokenizer.decode(ids)).toBe(decoded);
  });

  test("begins every text with bos unless the file says otherwise", () => {
    expect(tokenizer.prefix).toEqual([1]);
    const without = metadata(new Map([["tokenizer.ggml.add_bos_token", false]]));
    expect(makeTokenizer(tokenizerFilesOf(without, "model.gguf")).prefix).toEqual([]);
  });

  test("finds special tokens and those of the user in the text", () => {
    expect(tokenizer.encode("</s><|tool|>")).toEqual([2, 3]);
    expect(tokenizer.isSpecial(2)).toBe(true);
    expect(tokenizer.isSpecial(3)).toBe(false);
  });

  test("puts no space first where the file says so", () => {
    const files = tokenizerFilesOf(metadata(new Map([["tokenizer.ggml.add_space_prefix", false]])), "m.gguf");
    const plain = makeTokenizer(files);
    expect(plain.encode(" the")).toEqual(tokenizer.encode("the"));
    expect(plain.decode(plain.encode(" the"))).toBe(" the");
  });

  test("is written as it was read: the same types, the same order of scores", () => {
    const written = tokenizerMetadataOf(tokenizer, pieces.length, "folder");
    expect(written.get("tokenizer.ggml.token_type")).toEqual(Int32Array.from(kinds));
    expect(written.get("tokenizer.ggml.add_space_prefix")).toBe(true);
    const again = tokenizerFilesOf(new Map([...metadata(), ...written]), "model.gguf");
    expect(again).toEqual(tokenizer.files);
  });

  test.each([
    ["no scores", new Float32Array(0)],
    ["a score that is no number", Float32Array.from(scores, (score, i) => (i === 9 ? Number.NaN : score))],
  ])("%s is refused", (_, broken) => {
    const file = metadata(new Map([["tokenizer.ggml.scores", broken]]));
    expect(() => tokenizerFilesOf(file, "model.gguf")).toThrow(
      "tokenizer.ggml.scores is not a number for each",
    );
  });
});

test("a tokenizer.json is SentencePiece's by how it cuts text", () => {
  const model = { type: "BPE", byte_fallback: true };
  expect(spaceFirstIn({ model, ...wordsInPieces(true) })).toBe(true);
  expect(spaceFirstIn({ model, ...wordsInPieces(false) })).toBe(false);
  // The newer form of transformers.
  const metaspace = (prepend_scheme: string) => ({
    type: "Metaspace",
    replacement: "▁",
    prepend_scheme,
    split: false,
  });
  expect(spaceFirstIn({ model, normalizer: null, pre_tokenizer: metaspace("first") })).toBe(true);
  expect(spaceFirstIn({ model, normalizer: null, pre_tokenizer: metaspace("never") })).toBe(false);
  expect(spaceFirstIn({ model: { ...model, byte_fallback: false }, ...wordsInPieces(true) })).toBe(undefined);
  expect(spaceFirstIn({ model, ...wordsInPieces(true), normalizer: { type: "NFC" } })).toBe(undefined);
});
