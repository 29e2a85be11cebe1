// The configuration of a Llama-family model under its Hugging Face names, with the shapes that follow from it.

import { check } from "../error.ts";
import { type Params, tensor } from "../host.ts";
import type { Random } from "../random.ts";
import { type Shape, sizeOf } from "../shape.ts";

export interface LlamaConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly intermediate_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  /** Fewer than the attention heads means grouped queries. Default: the same. */
  readonly num_key_value_heads?: number;
  /** Default: hidden_size / num_attention_heads. */
  readonly head_dim?: number;
  readonly max_position_embeddings: number;
  readonly rms_norm_eps: number;
  /** Base of the rotary frequencies. Default 10000. */
  readonly rope_theta?: number;
  /** Where newer configs keep it. */
  readonly rope_parameters?: { readonly rope_theta?: number; readonly rope_type?: string } | null;
  /** Only absent, null or "default": stretched positions are not implemented. */
  readonly rope_scaling?: { readonly rope_type?: string; readonly type?: string } | null;
  /** Only "silu". */
  readonly hidden_act?: string;
  /** Only false. */
  readonly mlp_bias?: boolean;
  readonly tie_word_embeddings?: boolean;
  /** Biases on q, k and v (Qwen2). */
  readonly attention_bias?: boolean;
  /** Standard deviation of fresh matrices. */
  readonly initializer_range?: number;
}

/** Refuses what the model would silently compute otherwise. */
export function checkConfig(config: LlamaConfig): void {
  const { rope_scaling, rope_parameters, hidden_act = "silu", mlp_bias = false } = config;
  const rope = rope_parameters?.rope_type ?? rope_scaling?.rope_type ?? rope_scaling?.type ?? "default";
  check(rope === "default", "argument", () => `rope type "${rope}" is not supported, only "default"`);
  check(hidden_act === "silu", "argument", () => `hidden_act "${hidden_act}" is not supported, only "silu"`);
  check(!mlp_bias, "argument", () => "mlp_bias is not supported");
  for (const name of ["vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers"] as const) {
    check(Number.isInteger(config[name]) && config[name] > 0, "argument", () => `${name} is ${config[name]}`);
  }
}

export const ropeTheta = (config: LlamaConfig): number =>
  config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000;

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

/** Every parameter that the config implies; linear layers are [out,in]. */
export function parameterShapes(config: LlamaConfig): Record<string, Shape> {
  const { heads, kvHeads, headDim } = dimensions(config);
  const { hidden_size: D, intermediate_size: F, vocab_size: V } = config;
  const shapes: Record<string, Shape> = { "model.embed_tokens.weight": [V, D] };
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `model.layers.${i}`;
    shapes[`${layer}.input_layernorm.weight`] = [D];
    for (const [name, out] of [
      ["q", heads * headDim],
      ["k", kvHeads * headDim],
      ["v", kvHeads * headDim],
    ] as const) {
      shapes[`${layer}.self_attn.${name}_proj.weight`] = [out, D];
      if (config.attention_bias) shapes[`${layer}.self_attn.${name}_proj.bias`] = [out];
    }
    shapes[`${layer}.self_attn.o_proj.weight`] = [D, heads * headDim];
    shapes[`${layer}.post_attention_layernorm.weight`] = [D];
    shapes[`${layer}.mlp.gate_proj.weight`] = [F, D];
    shapes[`${layer}.mlp.up_proj.weight`] = [F, D];
    shapes[`${layer}.mlp.down_proj.weight`] = [D, F];
  }
  shapes["model.norm.weight"] = [D];
  if (!config.tie_word_embeddings) shapes["lm_head.weight"] = [V, D];
  return shapes;
}

export function parameterCount(config: LlamaConfig): number {
  return Object.values(parameterShapes(config)).reduce((n, shape) => n + sizeOf(shape), 0);
}

/** Fresh weights: norms 1, biases 0, matrices normal with `initializer_range`. Each name has a stream of its own. */
export function initialize(config: LlamaConfig, random: Random): Params {
  const std = config.initializer_range ?? 0.02;
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => {
      const data = new Float32Array(sizeOf(shape));
      if (shape.length > 1) {
        const draw = random.split(name);
        for (let i = 0; i < data.length; i++) data[i] = std * draw.normal();
      } else if (!name.endsWith(".bias")) data.fill(1);
      return [name, tensor(data, shape)];
    }),
  );
}
