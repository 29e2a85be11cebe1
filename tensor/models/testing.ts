// A tiny model and tiny batches for the tests of this room, with the fixture computed by transformers.

import { readFileSync } from "node:fs";
import { type HostTensor, type Params, tensor } from "../host.ts";
import { stream } from "../random.ts";
import { sizeOf } from "../shape.ts";
import { adoptParams, initialize, type LlamaConfig, type ModelConfig } from "./config.ts";

/** Two layers, four heads over two key-value heads, 37 tokens: every code path at the smallest size. */
export const tinyConfig: LlamaConfig = {
  vocab_size: 37,
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  initializer_range: 0.3,
};

export const tinyParams = (seed = 1): Params => initialize(tinyConfig, stream(seed));

/** Random token ids [B,T]. */
export function randomIds(B: number, T: number, seed: number | string): HostTensor<Int32Array> {
  const random = stream(seed);
  return tensor(
    Int32Array.from({ length: B * T }, () => random.int(tinyConfig.vocab_size)),
    [B, T],
  );
}

/** Mask [B,T] that supervises everything but the first token. */
export function nextTokenMask(B: number, T: number): HostTensor<Float32Array> {
  return tensor(
    Float32Array.from({ length: B * T }, (_, i) => Number(i % T > 0)),
    [B, T],
  );
}

interface Packed {
  readonly shape: number[];
  readonly data: string;
}

function unpack({ shape, data }: Packed): HostTensor<Float32Array> {
  const bytes = new Uint8Array(Buffer.from(data, "base64"));
  return tensor(new Float32Array(bytes.buffer, 0, sizeOf(shape)), shape);
}

const unpackAll = (params: Record<string, Packed>): Params =>
  Object.fromEntries(Object.entries(params).map(([name, p]) => [name, unpack(p)]));

export interface LlamaFixture {
  readonly config: LlamaConfig;
  readonly ids: HostTensor<Int32Array>;
  readonly params: Params;
  readonly logits: HostTensor<Float32Array>;
  readonly adamw: { readonly losses: number[]; readonly grad_norms: number[]; readonly params: Params };
}

/** Made by fixtures/make-llama.py. */
export function llamaFixture(): LlamaFixture {
  const raw = JSON.parse(readFileSync(new URL("fixtures/llama-tiny.json", import.meta.url), "utf8"));
  return {
    config: raw.config,
    ids: tensor(Int32Array.from(raw.ids.flat()), [raw.ids.length, raw.ids[0].length]),
    params: unpackAll(raw.params),
    logits: unpack(raw.logits),
    adamw: { ...raw.adamw, params: unpackAll(raw.adamw.params) },
  };
}

/** Names of the files that fixtures/make-architectures.py makes. */
export const architectureNames = [
  "smollm2",
  "llama3-rope",
  "linear-rope",
  "mistral",
  "qwen2",
  "qwen3",
  "gpt2",
  "gpt_neox",
  "gpt_neox-serial",
  "t5",
  "t5-v1.1",
] as const;

export interface ArchitectureFixture {
  readonly config: ModelConfig;
  readonly params: Params;
  /** Of the decoder where there is an encoder. */
  readonly ids: HostTensor<Int32Array>;
  /** The encoder's input. */
  readonly source?: { readonly ids: HostTensor<Int32Array>; readonly mask: HostTensor<Float32Array> };
  readonly logits: HostTensor<Float32Array>;
  /** What each row (or source) is continued with, 32 tokens. */
  readonly greedy: number[][];
  readonly adamw: { readonly loss: number; readonly grad_norm: number; readonly params: Params };
  /** T5's buckets of the relative positions -200..200, for 32 buckets up to 128. */
  readonly buckets?: { readonly bidirectional: number[]; readonly causal: number[] };
}

export function architectureFixture(name: (typeof architectureNames)[number]): ArchitectureFixture {
  const raw = JSON.parse(readFileSync(new URL(`fixtures/${name}.json`, import.meta.url), "utf8"));
  const matrix = <A extends Float32Array | Int32Array>(rows: number[][], from: (xs: number[]) => A) =>
    tensor(from(rows.flat()), [rows.length, rows[0]!.length]);
  const ints = (rows: number[][]) => matrix(rows, (xs) => Int32Array.from(xs));
  const weights = (params: Record<string, Packed>) => adoptParams(raw.config, unpackAll(params));
  return {
    ...raw,
    params: weights(raw.params),
    ids: ints(raw.ids),
    ...(raw.source && {
      source: { ids: ints(raw.source), mask: matrix(raw.source_mask, (xs) => Float32Array.from(xs)) },
    }),
    logits: unpack(raw.logits),
    adamw: { ...raw.adamw, params: weights(raw.adamw.params) },
  };
}

export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

/** max |a-b| / max |b|. */
export function relativeDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let scale = 0;
  for (let i = 0; i < b.length; i++) scale = Math.max(scale, Math.abs(b[i]!));
  return maxDifference(a, b) / Math.max(scale, Number.MIN_VALUE);
}
