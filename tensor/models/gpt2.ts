// GPT-2 as a graph: learned positions, layer norms with bias, one projection for q, k and v, GELU, a head tied to the embedding.
// https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf

import { check } from "../error.ts";
import type { Params } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { takeRows } from "../ir/passes/rows.ts";
import type { Shape } from "../shape.ts";
import { type Activation, activate, checkActivation } from "./activation.ts";
import { type Architecture, keyValueCache } from "./architecture.ts";
import { arange, cachedAttention, causalAttention, mergeHeads, paramOf, splitHeads } from "./layers.ts";
import type { Caches, Core } from "./model.ts";

export interface Gpt2Config {
  readonly model_type: "gpt2";
  readonly vocab_size: number;
  readonly n_embd: number;
  readonly n_layer: number;
  readonly n_head: number;
  readonly n_positions: number;
  /** Width of the MLP. Default 4 · n_embd. */
  readonly n_inner?: number | null;
  /** Default "gelu_new". */
  readonly activation_function?: string;
  /** Default 1e-5. */
  readonly layer_norm_epsilon?: number;
  /** Only true. */
  readonly scale_attn_weights?: boolean;
  /** Only false. */
  readonly scale_attn_by_inverse_layer_idx?: boolean;
  /** Default true. */
  readonly tie_word_embeddings?: boolean;
  /** Standard deviation of fresh matrices. */
  readonly initializer_range?: number;
}

export const gpt2: Architecture<Gpt2Config> = {
  check: checkConfig,
  geometry: (config) => ({
    vocabSize: config.vocab_size,
    hiddenSize: config.n_embd,
    maxLength: config.n_positions,
    cache: keyValueCache(config.n_layer, config.n_head, config.n_embd / config.n_head),
  }),
  shapes,
  // Projections back into the stream are smaller, so that its variance does not grow with depth.
  spread: ({ initializer_range = 0.02, n_layer }, name) =>
    name.endsWith("c_proj.weight") ? initializer_range / Math.sqrt(2 * n_layer) : initializer_range,
  adopt,
  build,
};

function checkConfig(config: Gpt2Config): void {
  const { n_embd, n_head, scale_attn_weights = true, scale_attn_by_inverse_layer_idx = false } = config;
  check(
    Number.isInteger(n_embd / n_head),
    "argument",
    () => `n_embd ${n_embd} is no multiple of n_head ${n_head}`,
  );
  checkActivation("activation_function", config.activation_function ?? "gelu_new");
  check(scale_attn_weights, "argument", () => "scale_attn_weights must be true");
  check(
    !scale_attn_by_inverse_layer_idx,
    "argument",
    () => "scale_attn_by_inverse_layer_idx is not supported",
  );
}

/** Matrices of the blocks are [in,out], as GPT-2 keeps them. */
function shapes(config: Gpt2Config): Record<string, Shape> {
  const { n_embd: D, vocab_size: V, n_inner, tie_word_embeddings = true } = config;
  const F = n_inner ?? 4 * D;
  const all: Record<string, Shape> = {
    "transformer.wte.weight": [V, D],
    "transformer.wpe.weight": [config.n_positions, D],
  };
  const norm = (name: string) => {
    all[`${name}.weight`] = [D];
    all[`${name}.bias`] = [D];
  };
  for (let i = 0; i < config.n_layer; i++) {
    const layer = `transformer.h.${i}`;
    for (const name of ["ln_1", "ln_2"]) norm(`${layer}.${name}`);
    for (const [name, into, out] of [
      ["attn.c_attn", D, 3 * D],
      ["attn.c_proj", D, D],
      ["mlp.c_fc", D, F],
      ["mlp.c_proj", F, D],
    ] as const) {
      all[`${layer}.${name}.weight`] = [into, out];
      all[`${layer}.${name}.bias`] = [out];
    }
  }
  norm("transformer.ln_f");
  if (!tie_word_embeddings) all["lm_head.weight"] = [V, D];
  return all;
}

/** Files of the bare model lack the prefix; old ones carry the causal masks. */
function adopt(config: Gpt2Config, params: Params): Params {
  const known = shapes(config);
  return Object.fromEntries(
    Object.entries(params)
      .filter(([name]) => !/\.attn\.(masked_)?bias$/.test(name))
      .filter(([name]) => name !== "lm_head.weight" || name in known)
      .map(([name, t]) => [`transformer.${name}` in known ? `transformer.${name}` : name, t]),
  );
}

function build(b: Builder, config: Gpt2Config, params: Readonly<Record<string, Value>>): Core {
  checkConfig(config);
  const { n_embd: D, n_head: heads, layer_norm_epsilon: eps = 1e-5, tie_word_embeddings = true } = config;
  const activation = (config.activation_function ?? "gelu_new") as Activation;
  const scale = 1 / Math.sqrt(D / heads);
  const param = (name: string) => paramOf(params, name);
  const norm = (x: Value, name: string) =>
    b.layernorm(x, param(`${name}.weight`), param(`${name}.bias`), eps);
  const linear = (x: Value, name: string) =>
    b.add(b.matmul(x, param(`${name}.weight`)), param(`${name}.bias`));

  function layers(
    ids: Value,
    positions: Value,
    attend: (q: Value, k: Value, v: Value, i: number) => Value,
  ): { hidden: Value; caches: Caches } {
    const [B] = positions.shape as [number];
    const caches: Record<string, Value> = {};
    const words = b.gatherRows(param("transformer.wte.weight"), b.reshape(ids, [-1]));
    let x = b.add(words, b.gatherRows(param("transformer.wpe.weight"), b.reshape(positions, [-1])));
    for (let i = 0; i < config.n_layer; i++) {
      const layer = `transformer.h.${i}`;
      const qkv = b.split(linear(norm(x, `${layer}.ln_1`), `${layer}.attn.c_attn`), 1, [D, D, D]);
      const [q, k, v] = qkv.map((part) => splitHeads(b, part, B, heads)) as [Value, Value, Value];
      caches[`k${i}`] = k;
      caches[`v${i}`] = v;
      x = b.add(x, linear(mergeHeads(b, attend(q, k, v, i)), `${layer}.attn.c_proj`));
      const wide = activate(b, linear(norm(x, `${layer}.ln_2`), `${layer}.mlp.c_fc`), activation);
      x = b.add(x, linear(wide, `${layer}.mlp.c_proj`));
    }
    return { hidden: norm(x, "transformer.ln_f"), caches };
  }

  function whole(ids: Value) {
    const [B, T] = ids.shape as [number, number];
    return layers(ids, arange(b, B, T), (q, k, v) => causalAttention(b, q, k, v, { scale }));
  }

  return {
    hidden: (ids) => whole(ids).hidden,
    head: (rows) => b.linear(rows, param(tie_word_embeddings ? "transformer.wte.weight" : "lm_head.weight")),
    prefill(ids, last) {
      const { hidden, caches } = whole(ids);
      return { hidden: takeRows(b, hidden, last), caches };
    },
    step(ids, positions, caches) {
      const cached = cachedAttention(b, caches, positions, () => ({ scale }));
      const { hidden } = layers(ids, b.reshape(positions, [-1, 1]), cached.attend);
      return { hidden, caches: cached.updated };
    },
  };
}
