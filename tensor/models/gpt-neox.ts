// GPT-NeoX and Pythia as graphs: attention and MLP side by side on one stream, rotary positions on part of each head,
// q, k and v interleaved per head in one matrix. https://arxiv.org/abs/2204.06745

import { check } from "../error.ts";
import type { Params } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { takeRows } from "../ir/passes/rows.ts";
import type { Shape } from "../shape.ts";
import { type Activation, activate, checkActivation } from "./activation.ts";
import { type Architecture, keyValueCache } from "./architecture.ts";
import {
  arange,
  cachedAttention,
  causalAttention,
  linear as linearOf,
  mergeHeads,
  paramOf,
} from "./layers.ts";
import type { Caches, Core } from "./model.ts";
import { checkRope, type RopeConfig, rotaryTables } from "./rope.ts";

export interface GptNeoXConfig extends RopeConfig {
  readonly model_type: "gpt_neox";
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly max_position_embeddings: number;
  /** Default 1e-5. */
  readonly layer_norm_eps?: number;
  /** Default "gelu". */
  readonly hidden_act?: string;
  /** Share of each head that is rotated, default 0.25; rope_parameters.partial_rotary_factor in newer configs. */
  readonly rotary_pct?: number;
  /** Older name of rope_theta. */
  readonly rotary_emb_base?: number;
  /** Default true. */
  readonly use_parallel_residual?: boolean;
  /** Biases of the attention's matrices. Default true. */
  readonly attention_bias?: boolean;
  readonly tie_word_embeddings?: boolean;
  /** Standard deviation of fresh matrices. */
  readonly initializer_range?: number;
}

export const gptNeoX: Architecture<GptNeoXConfig> = {
  check: checkConfig,
  geometry: (config) => ({
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    maxLength: config.max_position_embeddings,
    cache: keyValueCache(config.num_hidden_layers, config.num_attention_heads, headDim(config)),
  }),
  shapes,
  spread: (config) => config.initializer_range ?? 0.02,
  adopt,
  build,
};

const headDim = (config: GptNeoXConfig) => config.hidden_size / config.num_attention_heads;
const rotaryDim = (config: GptNeoXConfig) =>
  Math.floor(headDim(config) * (config.rope_parameters?.partial_rotary_factor ?? config.rotary_pct ?? 0.25));
const ropeOf = (config: GptNeoXConfig): RopeConfig =>
  config.rotary_emb_base === undefined ? config : { rope_theta: config.rotary_emb_base, ...config };

function checkConfig(config: GptNeoXConfig): void {
  const d = headDim(config);
  check(Number.isInteger(d), "argument", () => `hidden_size / num_attention_heads is ${d}`);
  const rotary = rotaryDim(config);
  check(
    rotary > 0 && rotary % 2 === 0,
    "argument",
    () => `${rotary} rotary dimensions per head, wants an even number`,
  );
  checkActivation("hidden_act", config.hidden_act ?? "gelu");
  checkRope(config);
}

function shapes(config: GptNeoXConfig): Record<string, Shape> {
  const { hidden_size: D, intermediate_size: F, vocab_size: V, attention_bias = true } = config;
  const all: Record<string, Shape> = { "gpt_neox.embed_in.weight": [V, D] };
  const norm = (name: string) => {
    all[`${name}.weight`] = [D];
    all[`${name}.bias`] = [D];
  };
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `gpt_neox.layers.${i}`;
    for (const name of ["input_layernorm", "post_attention_layernorm"]) norm(`${layer}.${name}`);
    for (const [name, out, into, bias] of [
      ["attention.query_key_value", 3 * D, D, attention_bias],
      ["attention.dense", D, D, attention_bias],
      ["mlp.dense_h_to_4h", F, D, true],
      ["mlp.dense_4h_to_h", D, F, true],
    ] as const) {
      all[`${layer}.${name}.weight`] = [out, into];
      if (bias) all[`${layer}.${name}.bias`] = [out];
    }
  }
  norm("gpt_neox.final_layer_norm");
  if (!config.tie_word_embeddings) all["embed_out.weight"] = [V, D];
  return all;
}

/** Old files carry masks and frequencies; in memory transformers 5 calls the head lm_head. */
function adopt(config: GptNeoXConfig, params: Params): Params {
  const tied = config.tie_word_embeddings === true;
  return Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => !/\.attention\.(bias|masked_bias|rotary_emb\.inv_freq)$/.test(name))
      .map(([name, t]): [string, Params[string]] => [
        name === "lm_head.weight" ? "embed_out.weight" : name,
        t,
      ])
      .filter(([name]) => !(tied && name === "embed_out.weight")),
  );
}

function build(b: Builder, config: GptNeoXConfig, params: Readonly<Record<string, Value>>): Core {
  checkConfig(config);
  const { num_attention_heads: heads, layer_norm_eps: eps = 1e-5, use_parallel_residual = true } = config;
  const [d, rotary] = [headDim(config), rotaryDim(config)];
  const activation = (config.hidden_act ?? "gelu") as Activation;
  const scale = 1 / Math.sqrt(d);
  const param = (name: string) => paramOf(params, name);
  const linear = (x: Value, name: string) => linearOf(b, params, x, name);
  const norm = (x: Value, name: string) =>
    b.layernorm(x, param(`${name}.weight`), param(`${name}.bias`), eps);

  function layers(
    ids: Value,
    positions: Value,
    slots: number,
    attend: (q: Value, k: Value, v: Value, i: number) => Value,
  ): { hidden: Value; caches: Caches } {
    const [B, T] = positions.shape as [number, number];
    const { cos, sin } = rotaryTables(b, ropeOf(config), rotary, slots);
    const rotate = (x: Value) => {
      if (rotary === d) return b.rope(x, positions, cos, sin);
      const [turned, rest] = b.split(x, 3, [rotary, d - rotary]);
      return b.concat([b.rope(turned!, positions, cos, sin), rest!], 3);
    };
    const caches: Record<string, Value> = {};
    let x = b.gatherRows(param("gpt_neox.embed_in.weight"), b.reshape(ids, [-1]));
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const layer = `gpt_neox.layers.${i}`;
      const rows = linear(norm(x, `${layer}.input_layernorm`), `${layer}.attention.query_key_value`);
      const perHead = b.transpose(b.reshape(rows, [B, T, heads, 3 * d]), [0, 2, 1, 3]);
      const [queries, keys, v] = b.split(perHead, 3, [d, d, d]) as [Value, Value, Value];
      const [q, k] = [rotate(queries), rotate(keys)];
      caches[`k${i}`] = k;
      caches[`v${i}`] = v;
      const attended = linear(mergeHeads(b, attend(q, k, v, i)), `${layer}.attention.dense`);
      const stream = b.add(x, attended);
      const seen = norm(use_parallel_residual ? x : stream, `${layer}.post_attention_layernorm`);
      const wide = activate(b, linear(seen, `${layer}.mlp.dense_h_to_4h`), activation);
      x = b.add(stream, linear(wide, `${layer}.mlp.dense_4h_to_h`));
    }
    return { hidden: norm(x, "gpt_neox.final_layer_norm"), caches };
  }

  function whole(ids: Value) {
    const [B, T] = ids.shape as [number, number];
    return layers(ids, arange(b, B, T), T, (q, k, v) => causalAttention(b, q, k, v, { scale }));
  }

  return {
    hidden: (ids) => whole(ids).hidden,
    head: (rows) =>
      b.linear(rows, param(config.tie_word_embeddings ? "gpt_neox.embed_in.weight" : "embed_out.weight")),
    prefill(ids, last) {
      const { hidden, caches } = whole(ids);
      return { hidden: takeRows(b, hidden, last), caches };
    },
    step(ids, positions, caches) {
      const S = caches.k0!.shape[2]!;
      const cached = cachedAttention(b, caches, positions, () => ({ scale }));
      const { hidden } = layers(ids, b.reshape(positions, [-1, 1]), S, cached.attend);
      return { hidden, caches: cached.updated };
    },
  };
}
