// Decoding speed: milliseconds per step of a batch, Align against transformers.generate and llama.cpp.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { createGenerator, type GeneratorOptions, initialize, onnxBackend, stream } from "../tensor/index.ts";
import type { BenchOptions, BenchRow } from "./main.ts";
import { median } from "./train.ts";

/** The shapes of SmolLM2-135M; the weights are random, which changes no time. */
const config = {
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  max_position_embeddings: 2048,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
const threads = 2;
const prompt = 32;
const tokens = 33; // the first comes out of the prompt
const rounds = 2;
const batches = [1, 16];

type Mode = NonNullable<GeneratorOptions["weights"]>;

/** What of ours stands against what of llama.cpp. */
const llamaModes: readonly (readonly [Mode, string])[] = [
  ["frozen", "f32"],
  ["q8", "q8_0"],
  ["q4", "q4_0"],
];

export async function* decodeBench({ python, llama }: BenchOptions): AsyncIterable<BenchRow> {
  const params = initialize(config, stream("bench"));
  const folder = mkdtempSync(path.join(os.tmpdir(), "align-bench-"));
  try {
    for (const batch of batches) {
      for (const mode of ["live", "frozen"] as const) {
        yield await row(`135M ${mode}, batch ${batch}`, "transformers generate, fp32", [
          () => stepsOfAlign(params, mode, batch),
          () => stepsOfTransformers(python, batch),
        ]);
      }
      for (const [mode, type] of llama === undefined ? [] : llamaModes) {
        const file = path.join(folder, `${type}.gguf`);
        await gguf(python, file, type);
        yield await row(`135M ${mode}, batch ${batch}`, `llama.cpp ${type}`, [
          () => stepsOfAlign(params, mode, batch),
          () => stepsOfLlama(llama!, file, batch),
        ]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Both arms in turns. */
async function row(
  name: string,
  peerName: string,
  [ours, theirs]: readonly [() => Promise<number[]>, () => Promise<number[]>],
): Promise<BenchRow> {
  const pairs: [number, number][] = [];
  for (let i = 0; i < rounds; i++) pairs.push([Math.min(...(await ours())), Math.min(...(await theirs()))]);
  return {
    name,
    peerName,
    ours: median(pairs.map(([a]) => a)),
    peer: median(pairs.map(([, b]) => b)),
    ratio: median(pairs.map(([a, b]) => b / a)),
    unit: "ms/step",
  };
}

async function stepsOfAlign(
  params: ReturnType<typeof initialize>,
  weights: Mode,
  batch: number,
): Promise<number[]> {
  const backend = await onnxBackend({ threads });
  const generator = createGenerator({ backend, config, params, weights, batch_size: batch });
  const random = stream("prompts");
  const prompts = Array.from({ length: batch }, () =>
    Array.from({ length: prompt }, () => random.int(config.vocab_size)),
  );
  const at: number[] = [];
  const options = { max_new_tokens: tokens, temperature: 0, eos: [], random };
  await generator.generate(prompts, { ...options, max_new_tokens: 2 }); // compiles
  await generator.generate(prompts, { ...options, onProgress: () => at.push(performance.now()) });
  await generator.dispose();
  return steps(at);
}

async function stepsOfTransformers(python: string, batch: number): Promise<number[]> {
  const script = fileURLToPath(new URL("./decode_transformers.py", import.meta.url));
  const input = JSON.stringify({ config, batch, prompt, tokens, threads });
  const { stdout } = await execa(python, [script], { input, stderr: "ignore" });
  return steps(JSON.parse(stdout.trim().split("\n").at(-1)!) as number[]);
}

async function stepsOfLlama(folder: string, file: string, batch: number): Promise<number[]> {
  const script = fileURLToPath(new URL("./decode_llama.mjs", import.meta.url));
  const { stdout } = await execa(process.execPath, [
    script,
    JSON.stringify({ folder, file, batch, prompt, tokens, threads, vocab: config.vocab_size }),
  ]);
  return steps(JSON.parse(stdout.trim().split("\n").at(-1)!) as number[]);
}

async function gguf(python: string, file: string, type: string): Promise<void> {
  const script = fileURLToPath(new URL("./decode_gguf.py", import.meta.url));
  await execa(python, [script], { input: JSON.stringify({ config, file, type }) });
}

/** Times between points in time, without the first few. */
const steps = (at: readonly number[]): number[] =>
  at
    .slice(1)
    .map((t, i) => t - at[i]!)
    .slice(3);
