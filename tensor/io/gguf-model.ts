// What a GGUF file of the Llama family and a model folder call the same things: settings, tensors, order of rows.
import { FileError } from "./error.ts";
import type { GgufMetadata } from "./gguf-header.ts";
import { ropeScalingIn, stretchedRope } from "./gguf-rope.ts";
import { unsupported } from "./gguf-unsupported.ts";
import type { Tensor } from "./safetensors.ts";
import type { JsonObject } from "./tokenizer-files.ts";

interface Architecture {
  /** `model_type` of config.json. */
  readonly modelType: string;
  readonly className: string;
  /** llama.cpp turns neighbouring dimensions, HF the two halves of a head: rows of q and k are stored in another order. */
  readonly permuted: boolean;
}

/** By `general.architecture`. Mistral and SmolLM files say llama. */
const architectures: Readonly<Record<string, Architecture>> = {
  llama: { modelType: "llama", className: "LlamaForCausalLM", permuted: true },
  qwen2: { modelType: "qwen2", className: "Qwen2ForCausalLM", permuted: false },
  qwen3: { modelType: "qwen3", className: "Qwen3ForCausalLM", permuted: false },
};

/** `model_type`s of model folders that become GGUF, and the architecture that they become. */
const exported: Readonly<Record<string, string>> = {
  llama: "llama",
  mistral: "llama",
  qwen2: "qwen2",
  qwen3: "qwen3",
};

const globalNames: readonly (readonly [gguf: string, hf: string])[] = [
  ["token_embd.weight", "model.embed_tokens.weight"],
  ["output_norm.weight", "model.norm.weight"],
  ["output.weight", "lm_head.weight"],
];
const layerNames: readonly (readonly [gguf: string, hf: string])[] = [
  ["attn_norm.weight", "input_layernorm.weight"],
  ["ffn_norm.weight", "post_attention_layernorm.weight"],
  ["attn_q.weight", "self_attn.q_proj.weight"],
  ["attn_k.weight", "self_attn.k_proj.weight"],
  ["attn_v.weight", "self_attn.v_proj.weight"],
  ["attn_q.bias", "self_attn.q_proj.bias"],
  ["attn_k.bias", "self_attn.k_proj.bias"],
  ["attn_v.bias", "self_attn.v_proj.bias"],
  ["attn_q_norm.weight", "self_attn.q_norm.weight"],
  ["attn_k_norm.weight", "self_attn.k_norm.weight"],
  ["attn_output.weight", "self_attn.o_proj.weight"],
  ["attn_output.bias", "self_attn.o_proj.bias"],
  ["ffn_gate.weight", "mlp.gate_proj.weight"],
  ["ffn_up.weight", "mlp.up_proj.weight"],
  ["ffn_down.weight", "mlp.down_proj.weight"],
];
const toHf = new Map([...globalNames, ...layerNames]);
const toGguf = new Map([...globalNames, ...layerNames].map(([gguf, hf]) => [hf, gguf]));

/** `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight` */
export function hfName(gguf: string): string | undefined {
  const layer = /^blk\.(\d+)\.(.+)$/.exec(gguf);
  if (!layer) return toHf.get(gguf);
  const name = toHf.get(layer[2]!);
  return name && `model.layers.${layer[1]}.${name}`;
}

export function ggufName(hf: string): string | undefined {
  const layer = /^model\.layers\.(\d+)\.(.+)$/.exec(hf);
  if (!layer) return toGguf.get(hf);
  const name = toGguf.get(layer[2]!);
  return name && `blk.${layer[1]}.${name}`;
}

/** config.json of a GGUF file with these tensors; `divisors` are those of its rotary frequencies, if it has any. */
export function configOf(
  metadata: GgufMetadata,
  shapes: ReadonlyMap<string, readonly number[]>,
  divisors: ArrayLike<number> | undefined,
  where: string,
): JsonObject {
  const name = metadata.get("general.architecture");
  const architecture = typeof name === "string" && Object.hasOwn(architectures, name) && architectures[name];
  if (!architecture) {
    throw unsupported(
      `the model's architecture is ${JSON.stringify(name)}; ${Object.keys(architectures).join(", ")} are read`,
      where,
    );
  }
  const number = (key: string, otherwise?: number): number => {
    const value = metadata.get(`${name}.${key}`) ?? otherwise;
    if (typeof value === "number" && value > 0) return value;
    const what = value === undefined ? "is missing" : "is not a positive number";
    throw unsupported(`the setting ${name}.${key} ${what}`, where);
  };
  const embeddings = shapes.get("token_embd.weight");
  if (embeddings?.length !== 2) throw unsupported("there is no matrix token_embd.weight", where);
  const hidden = number("embedding_length");
  const heads = number("attention.head_count");
  const headDim = number("attention.key_length", hidden / heads);
  refuse(metadata, `${name}.rope.dimension_count`, headDim, where);
  refuse(metadata, `${name}.attention.value_length`, headDim, where);
  if ((metadata.get(`${name}.expert_count`) ?? 0) !== 0) {
    throw unsupported("it is a mixture of experts, which is not supported", where);
  }
  const theta = number("rope.freq_base", 10_000);
  const id = (role: string) => metadata.get(`tokenizer.ggml.${role}_token_id`) ?? null;
  return {
    architectures: [architecture.className],
    model_type: architecture.modelType,
    vocab_size: embeddings[0],
    hidden_size: hidden,
    intermediate_size: number("feed_forward_length"),
    num_hidden_layers: number("block_count"),
    num_attention_heads: heads,
    num_key_value_heads: number("attention.head_count_kv", heads),
    head_dim: headDim,
    max_position_embeddings: number("context_length"),
    rms_norm_eps: number("attention.layer_norm_rms_epsilon"),
    rope_theta: theta,
    rope_scaling: ropeScalingIn(metadata, divisors, { name: name as string, theta, headDim }, where),
    hidden_act: "silu",
    attention_bias: shapes.has("blk.0.attn_q.bias"),
    mlp_bias: false,
    tie_word_embeddings: !shapes.has("output.weight"),
    bos_token_id: id("bos"),
    eos_token_id: id("eos"),
    pad_token_id: id("padding"),
    torch_dtype: "float32",
  };
}

export interface GgufSettings {
  /** `general.architecture` first. */
  readonly settings: ReadonlyMap<string, string | number>;
  /** What is a tensor there and a setting in config.json. */
  readonly tensors: ReadonlyMap<string, Float32Array>;
}

/** The other way. */
export function metadataOf(config: JsonObject, where: string): GgufSettings {
  const type = String(config.model_type);
  if (!Object.hasOwn(exported, type)) {
    throw unsupported(
      `a ${type} model cannot be written as GGUF; ${Object.keys(exported).join(", ")} can`,
      where,
    );
  }
  const name = exported[type]!;
  const number = (key: string, otherwise?: number): number => {
    const value = config[key] ?? otherwise;
    if (typeof value === "number") return value;
    throw unsupported(`${key} is missing in config.json`, where);
  };
  const hidden = number("hidden_size");
  const heads = number("num_attention_heads");
  const headDim = number("head_dim", hidden / heads);
  const { rope_theta: theta } = (config.rope_parameters ?? {}) as { rope_theta?: number };
  const rope = stretchedRope(config, name, headDim, where);
  const settings = new Map<string, string | number>([
    ["general.architecture", name],
    [`${name}.block_count`, number("num_hidden_layers")],
    [`${name}.context_length`, number("max_position_embeddings")],
    [`${name}.embedding_length`, hidden],
    [`${name}.feed_forward_length`, number("intermediate_size")],
    [`${name}.attention.head_count`, heads],
    [`${name}.attention.head_count_kv`, number("num_key_value_heads", heads)],
    [`${name}.attention.key_length`, headDim],
    [`${name}.attention.value_length`, headDim],
    [`${name}.attention.layer_norm_rms_epsilon`, number("rms_norm_eps")],
    [`${name}.rope.freq_base`, number("rope_theta", theta ?? 10_000)],
    [`${name}.rope.dimension_count`, headDim],
    [`${name}.vocab_size`, number("vocab_size")],
    ...rope.settings,
  ]);
  return { settings, tensors: rope.tensors };
}

/** How many heads the rows of this tensor are to be reordered by; undefined for those that are not. */
export function permutedHeads(hf: string, config: JsonObject): number | undefined {
  if (!architectures[exported[String(config.model_type)] ?? ""]?.permuted) return undefined;
  if (/\.q_proj\.(weight|bias)$/.test(hf)) return config.num_attention_heads as number;
  if (/\.k_proj\.(weight|bias)$/.test(hf)) {
    return (config.num_key_value_heads ?? config.num_attention_heads) as number;
  }
  return undefined;
}

/** Within each head: rows x0 y0 x1 y1 … of llama.cpp ↔ x0 x1 … y0 y1 … of HF. */
export function permute({ shape, data }: Tensor, heads: number, to: "hf" | "gguf"): Tensor {
  const [rows = 0] = shape;
  const width = rows === 0 ? 0 : data.length / rows;
  const half = rows / heads / 2;
  if (!Number.isInteger(half)) {
    throw new FileError({
      code: "tensor-shape",
      message: `${rows} rows are not ${heads} heads of an even size`,
    });
  }
  const out = new Float32Array(data.length);
  for (let head = 0; head < heads; head++) {
    for (let i = 0; i < half; i++) {
      for (let side = 0; side < 2; side++) {
        const hf = (2 * head + side) * half + i;
        const gguf = (head * half + i) * 2 + side;
        const [source, target] = to === "hf" ? [gguf, hf] : [hf, gguf];
        out.set(data.subarray(source * width, (source + 1) * width), target * width);
      }
    }
  }
  return { shape, data: out };
}

function refuse(metadata: GgufMetadata, key: string, only: string | number, where: string): void {
  const value = metadata.get(key);
  if (value === undefined || value === only) return;
  throw unsupported(`the setting ${key} is ${String(value)}; only ${only} is supported here`, where);
}
