// Models that go to other programs and come back. What needs those programs runs where they are named: ALIGN_TEST_PYTHON (a
// python with transformers, torch and gguf), ALIGN_TEST_LLAMA_CPP (a folder with node-llama-cpp installed) and
// ALIGN_TEST_GGUF (a real model to try besides the tiny one; Llama family).
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { initialize, type LlamaConfig, stream } from "../../tensor/index.ts";
import { tokenizerFilesOf } from "../../tensor/io/gguf-tokenizer.ts";
import {
  copyModel,
  type JsonObject,
  openModelFolder,
  type TokenizerFiles,
  tokenizerFiles,
  trainBpe,
  type WrittenType,
  wordCounter,
  writeGguf,
  writeModelFolder,
} from "../../tensor/io/index.ts";
import { preTokenizers } from "../../tensor/io/pre-tokenizers.ts";
import { type Answer, askAlign, type Request } from "./model.ts";

const { ALIGN_TEST_PYTHON: python, ALIGN_TEST_LLAMA_CPP: llama, ALIGN_TEST_GGUF: real } = process.env;
const here = import.meta.dirname;

const request: Request = {
  text: "<|im_start|>user\nWhat is the capital of France? Say 3 things about it in 2024.<|im_end|>\n<|im_start|>assistant\n",
  messages: [
    { role: "user", content: "Hello, who are you?" },
    { role: "assistant", content: "I am a model." },
    { role: "user", content: "What is 12 + 30?" },
  ],
  tokens: 64,
};

let dir: string;
let requestFile: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "align-interop-"));
  requestFile = join(dir, "request.json");
  await writeFile(requestFile, JSON.stringify(request));
});
afterAll(() => rm(dir, { recursive: true }));

/** Grouped queries, tied embeddings, weights large enough that the likeliest token is far ahead. */
const config: LlamaConfig = {
  vocab_size: 384,
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 512,
  rms_norm_eps: 1e-5,
  rope_theta: 10000,
  tie_word_embeddings: true,
  initializer_range: 0.3,
};
/** Of Llama 3.2. */
const rope_scaling = {
  rope_type: "llama3",
  factor: 32,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 8192,
};
const template =
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/** With a seed whose likeliest tokens are never nearly tied: llama.cpp keeps keys and values in fp16. */
async function tinyFolder(kind: LlamaConfig, seed = 3): Promise<string> {
  const folder = await mkdtemp(join(dir, "tiny-"));
  await writeModelFolder(folder, {
    config: { ...kind, hidden_act: "silu" } as unknown as JsonObject,
    tokenizer: kind.vocab_size === config.vocab_size ? words(kind) : await pieces(),
    tensors: new Map(
      Object.entries(initialize(kind, stream(seed))).map(([name, { shape, data }]) => [
        name,
        { shape: [...shape], data },
      ]),
    ),
  });
  return folder;
}

/** Byte-level BPE. */
function words(kind: LlamaConfig): TokenizerFiles {
  const counter = wordCounter();
  counter.add(JSON.stringify(request).repeat(3));
  const bpe = trainBpe(counter.counts, {
    vocabSize: 380,
    minFrequency: 2,
    specialTokens: ["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
  });
  const files = tokenizerFiles(bpe, { eos: "<|im_end|>", bos: "<|endoftext|>", chatTemplate: template });
  return { ...files, tokenizer: { ...files.tokenizer, ...cutAs(kind) } };
}

/** SentencePiece's BPE with its scores, as a GGUF file of Llama 2 holds it. */
async function pieces(): Promise<TokenizerFiles> {
  const file = join(here, "../../tensor/io/fixtures/pieces.json");
  const { pieces, scores, kinds } = JSON.parse(await readFile(file, "utf8"));
  const { tokenizer, config } = tokenizerFilesOf(
    new Map<string, string | number | string[] | Float32Array | Int32Array>([
      ["tokenizer.ggml.model", "llama"],
      ["tokenizer.ggml.tokens", pieces],
      ["tokenizer.ggml.scores", Float32Array.from(scores)],
      ["tokenizer.ggml.token_type", Int32Array.from(kinds)],
      ["tokenizer.ggml.unknown_token_id", 0],
      ["tokenizer.ggml.bos_token_id", 1],
      ["tokenizer.ggml.eos_token_id", 2],
    ]),
    file,
  );
  return { tokenizer, config: { ...config, chat_template: template } };
}

/** Other programs give a Qwen the tokenizer of the Qwens, whatever its files say. */
function cutAs({ model_type }: LlamaConfig): JsonObject {
  if (!model_type?.startsWith("qwen")) return {};
  const { preTokenizer, normalizer } = preTokenizers.find(({ names }) => names.includes("qwen2"))!;
  return { pre_tokenizer: preTokenizer, normalizer };
}

async function unpacked(file: string): Promise<string> {
  const folder = await mkdtemp(join(dir, "unpacked-"));
  await copyModel(await openModelFolder(file), folder);
  return folder;
}

async function packed(folder: string, type: WrittenType): Promise<string> {
  const file = join(folder, `${type}.gguf`);
  await writeGguf(file, await openModelFolder(folder), { type, name: "interop" });
  return file;
}

async function ask(command: string, ...args: string[]) {
  const { stdout } = await execa(command, args, { stderr: "ignore" });
  return JSON.parse(stdout.trim().split("\n").at(-1)!);
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let largest = 0;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

const models: (readonly [name: string, folder: () => Promise<string>])[] = [
  ["a tiny Llama", () => tinyFolder({ ...config, model_type: "llama" })],
  ["a tiny Llama 2", () => tinyFolder({ ...config, model_type: "llama", vocab_size: 560 }, 5)],
  [
    "a tiny Llama 3.2",
    () => tinyFolder({ ...config, model_type: "llama", rope_theta: 500_000, rope_scaling }),
  ],
  ["a tiny Mistral", () => tinyFolder({ ...config, model_type: "mistral", tie_word_embeddings: false })],
  ["a tiny Qwen 2", () => tinyFolder({ ...config, model_type: "qwen2" })],
  ["a tiny Qwen 3", () => tinyFolder({ ...config, model_type: "qwen3", head_dim: 32 })],
  ...(real ? [[basename(real), () => unpacked(real)] as const] : []),
];

describe.each(models)("%s", (name, make) => {
  let folder: string;
  let ours: Answer;
  beforeAll(async () => {
    folder = await make();
    ours = await askAlign(folder, request);
  }, 300_000);

  test("says the same, bit by bit, as folder and as F32 GGUF file", async () => {
    const again = await askAlign(await packed(folder, "F32"), request);
    expect(again.ids).toEqual(ours.ids);
    expect(largestDifference(again.logits, ours.logits)).toBe(0);
    expect(again.greedy).toEqual(ours.greedy);
    expect(again.chat).toBe(ours.chat);
  }, 300_000);

  if (python) {
    test("says the same in transformers: ids, logits, greedy tokens, conversation", async () => {
      const theirs: Answer = await ask(python, join(here, "model.py"), folder, requestFile);
      const difference = largestDifference(theirs.logits, ours.logits);
      console.log(`transformers: logits differ by at most ${difference.toExponential(2)}`);
      expect(theirs.ids).toEqual(ours.ids);
      expect(difference).toBeLessThan(1e-3);
      expect(theirs.greedy).toEqual(ours.greedy);
      expect(theirs.chat).toBe(ours.chat);
    }, 300_000);

    // The script knows the order of rows of one family.
    const types = name.includes("Qwen") ? [] : (["F32", "F16", "Q8_0"] as const);
    test.each(types)(
      "has the tensors of the Python package gguf, as %s",
      async (type) => {
        const file = await packed(folder, type);
        expect(await ask(python, join(here, "gguf_tensors.py"), file, await unpacked(file))).toMatchObject({
          different: [],
          left: [],
        });
      },
      300_000,
    );
  }

  if (llama) {
    test("says the same in llama.cpp: ids and greedy tokens", async () => {
      const file = await packed(folder, "F32");
      const theirs = await ask(process.execPath, join(here, "llama.mjs"), llama, file, requestFile);
      expect(theirs.ids).toEqual(ours.ids);
      expect(theirs.greedy).toEqual(ours.greedy);
    }, 300_000);
  }
});

if (python && real) {
  test(`${basename(real)} has the tensors of the Python package gguf`, async () => {
    const answer = await ask(python, join(here, "gguf_tensors.py"), real, await unpacked(real));
    console.log(`tensors: ${JSON.stringify(answer.types)}`);
    expect(answer).toMatchObject({ different: [], left: [] });
  }, 300_000);
}
