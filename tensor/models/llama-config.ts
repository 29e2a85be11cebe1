// The configuration of the Llama family (Llama, SmolLM, Mistral, Qwen2, Qwen3) under its Hugging Face names, with the shapes that follow.

import { check } from "../error.ts";
import type { Shape } from "../shape.ts";
import { type Geometry, keyValueCache } from "./architecture.ts";
import { checkRope, type RopeConfig } from "./rope.ts";

export interface LlamaConfig extends RopeConfig {
  /** Default "llama". */
  readonly model_type?: "llama" | "mistral" | "qwen2" | "qwen3";
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Fewer than the attention heads means grouped queries. Default: the same. */
  readonly num_key_value_heads?: number;
  /** Default: hidden_size / num_attention_heads. */
  readonly head_dim?: number | null;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  /** Only "silu". */
  readonly hidden_act?: string;
  readonly mlp_bias?: boolean;
  readonly tie_word_embeddings?: boolean;
  /** Biases on q, k, v and o. Qwen2 has those of q, k and v whatever this says. */
  readonly attention_bias?: boolean;
  /** A token sees this many, itself included: in every layer of Mistral, in Qwen's as the next three say. */
  readonly sliding_window?: number | null;
  readonly use_sliding_window?: boolean;
  /** Layers from this one on have the window. */
  readonly max_window_layers?: number;
  /** "full_attention" or "sliding_attention" for each layer; goes before the other two. */
  readonly layer_types?: readonly string[] | null;
  /** Standard deviation of fresh matrices. */
  readonly initializer_range?: number;
}

export function checkConfig(config: LlamaConfig): void {
  const { hidden_act = "silu" } = config;
  checkRope(config);
  check(hidden_act === "silu", "argument", () => `hidden_act "${hidden_act}" is not supported, only "silu"`);
  for (const name of ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers"] as const) {
    check(Number.isInteger(config[name]) && config[name] > 0, "argument", () => `${name} is ${config[name]}`);
  }
}

/** The attention window of layer i in tokens, or undefined for none. */
export function windowOf(config: LlamaConfig, i: number): number | undefined {
  const { model_type, sliding_window, layer_types, use_sliding_window, max_window_layers = 0 } = config;
  const slides = layer_types
    ? layer_types[i] === "sliding_attention"
    : model_type === "mistral" || (use_sliding_window === true && i >= max_window_layers);
  return slides && model_type !== undefined && model_type !== "llama"
    ? (sliding_window ?? undefined)
    : undefined;
}

export interface Dimensions {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

export function dimensions(config: LlamaConfig): Dimensions {
  checkConfig(config);
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? heads;
  const headDim = config.head_dim ?? config.hidden_size / heads;
  check(Number.isInteger(headDim) && headDim % 2 === 0, "argument", () => {
    return `head_dim is ${headDim} (hidden_size ${config.hidden_size} / ${heads} heads), wants an even integer`;
  });
  check(
    heads % kvHeads === 0,
    "argument",
    () => `${heads} heads do not share ${kvHeads} key-value heads evenly`,
  );
  return { heads, kvHeads, headDim };
}

export function llamaGeometry(config: LlamaConfig): Geometry {
  const { kvHeads, headDim } = dimensions(config);
  return {
    vocabSize: config.vocab_size,
    hiddenSize: config.hidden_size,
    maxLength: config.max_position_embeddings,
    cache: keyValueCache(config.num_hidden_layers, kvHeads, headDim),
  };
}

/** Every parameter that the config implies; linear layers are [out,in]. */
export function llamaShapes(config: LlamaConfig): Record<string, Shape> {
  const { heads, kvHeads, headDim } = dimensions(config);
  const { hidden_size: D, intermediate_size: F, vocab_size: V, model_type, attention_bias = false } = config;
  const shapes: Record<string, Shape> = { "model.embed_tokens.weight": [V, D] };
  const add = (name: string, out: number, into: number, bias: boolean) => {
    shapes[`${name}.weight`] = [out, into];
    if (bias) shapes[`${name}.bias`] = [out];
  };
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    shapes[`${layer}.input_layernorm.weight`] = [D];
    for (const [name, count] of [
      ["q", heads],
      ["k", kvHeads],
      ["v", kvHeads],
    ] as const) {
      add(`${layer}.self_attn.${name}_proj`, count * headDim, D, model_type === "qwen2" || attention_bias);
    }
    if (model_type === "qwen3") {
      for (const name of ["q_norm", "k_norm"]) shapes[`${layer}.self_attn.${name}.weight`] = [headDim];
    }
    add(`${layer}.self_attn.o_proj`, D, heads * headDim, model_type !== "qwen2" && attention_bias);
    shapes[`${layer}.post_attention_layernorm.weight`] = [D];
    for (const name of ["gate_proj", "up_proj"]) add(`${layer}.mlp.${name}`, F, D, config.mlp_bias ?? false);
    add(`${layer}.mlp.down_proj`, D, F, config.mlp_bias ?? false);
  }
  shapes["model.norm.weight"] = [D];
  if (!config.tie_word_embeddings) shapes["lm_head.weight"] = [V, D];
  return shapes;
}
