// Decoding speed: milliseconds per step of a batch, Align against transformers.generate and llama.cpp.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { createGenerator, type GeneratorOptions, initialize, onnxBackend, stream } from "../tensor/index.ts";
import type { BenchOptions, BenchRow } from "./main.ts";

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
const rounds = 3;
const batches = [1, 16];

type Mode = NonNullable<GeneratorOptions["weights"]>;

/** What of ours stands against what of llama.cpp. */
const llamaModes: readonly (readonly [Mode, string])[] = [
  ["frozen", "f32"],
  ["q8", "q8_0"],
  ["q4", "q4_0"],
];

export async function* decodeBench({ python, llama, only = "" }: BenchOptions): AsyncIterable<BenchRow> {
  const params = initialize(config, stream("bench"));
  const folder = mkdtempSync(path.join(os.tmpdir(), "align-bench-"));
  try {
    for (const batch of batches) {
      for (const mode of ["live", "frozen"] as const) {
        const name = `135M ${mode}, batch ${batch}`;
        if (!name.includes(only)) continue;
        yield await row(name, "transformers generate, fp32", [
          () => stepsOfAlign(params, mode, batch),
          () => stepsOfTransformers(python, batch),
        ]);
      }
      for (const [mode, type] of llama === undefined ? [] : llamaModes) {
        const name = `135M ${mode}, batch ${batch}`;
        if (!name.includes(only)) continue;
        const file = path.join(folder, `${type}.gguf`);
        await gguf(python, file, type);
        yield await row(name, `llama.cpp ${type}`, [
          () => stepsOfAlign(params, mode, batch),
          () => stepsOfLlama(llama!, file, batch),
        ]);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Both arms in turns; of each its best round. */
async function row(
  name: string,
  peerName: string,
  [ours, theirs]: readonly [() => Promise<number>, () => Promise<number>],
): Promise<BenchRow> {
  const pairs: [number, number][] = [];
  for (let i = 0; i < rounds; i++) pairs.push([await ours(), await theirs()]);
  const [mine, peer] = [Math.min(...pairs.map(([a]) => a)), Math.min(...pairs.map(([, b]) => b))];
  return { name, peerName, ours: mine, peer, ratio: peer / mine, unit: "ms/step" };
}

async function stepsOfAlign(
  params: ReturnType<typeof initialize>,
  weights: Mode,
  batch: number,
): Promise<number> {
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
  return meanStep(at);
}

async function stepsOfTransformers(python: string, batch: number): Promise<number> {
  const script = fileURLToPath(new URL("./decode_transformers.py", import.meta.url));
  const input = JSON.stringify({ config, batch, prompt, tokens, threads });
  const { stdout } = await execa(python, [script], { input, stderr: "ignore" });
  return meanStep(JSON.parse(stdout.trim().split("\n").at(-1)!) as number[]);
}

async function stepsOfLlama(folder: string, file: string, batch: number): Promise<number> {
  const script = fileURLToPath(new URL("./decode_llama.mjs", import.meta.url));
  const { stdout } = await execa(process.execPath, [
    script,
    JSON.stringify({ folder, file, batch, prompt, tokens, threads, vocab: config.vocab_size }),
  ]);
  return meanStep(JSON.parse(stdout.trim().split("\n").at(-1)!) as number[]);
}

async function gguf(python: string, file: string, type: string): Promise<void> {
  const script = fileURLToPath(new URL("./decode_gguf.py", import.meta.url));
  await execa(python, [script], { input: JSON.stringify({ config, file, type }) });
}

/**
 * Mean time of a step after the first few, from the points in time at which each round of tokens was there. Never the
 * fastest one: rows that do not walk in step have short gaps when one runs ahead.
 */
function meanStep(at: readonly number[]): number {
  const settled = at.slice(3);
  return (settled.at(-1)! - settled[0]!) / (settled.length - 1);
}
