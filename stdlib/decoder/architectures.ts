// The config.json of a fresh model in each architecture that `decoder` offers.
import type { ModelConfig } from "../../tensor/index.ts";
import type { DecoderParams } from "./run.ts";

interface Fresh {
  /** Its class in transformers. */
  readonly className: string;
  readonly config: ModelConfig;
  /** What transformers reads besides. */
  readonly rest: Readonly<Record<string, unknown>>;
}

function llamaLike(p: DecoderParams, vocab_size: number) {
  return {
    vocab_size,
    hidden_size: p.hidden_size,
    intermediate_size: p.intermediate_size,
    num_hidden_layers: p.layers,
    num_attention_heads: p.heads,
    num_key_value_heads: p.kv_heads ?? p.heads,
    head_dim: p.hidden_size / p.heads,
    max_position_embeddings: p.max_length,
    rms_norm_eps: p.rms_norm_eps,
    rope_theta: p.rope_theta,
    tie_word_embeddings: p.tie_embeddings,
    initializer_range: p.initializer_range,
  };
}

const silu = { hidden_act: "silu" };

const architectures = {
  llama: (p, vocab) => ({
    className: "LlamaForCausalLM",
    config: { model_type: "llama", ...llamaLike(p, vocab) },
    rest: { ...silu, attention_bias: false, mlp_bias: false },
  }),
  mistral: (p, vocab) => ({
    className: "MistralForCausalLM",
    config: { model_type: "mistral", ...llamaLike(p, vocab), sliding_window: null },
    rest: silu,
  }),
  qwen2: (p, vocab) => ({
    className: "Qwen2ForCausalLM",
    config: { model_type: "qwen2", ...llamaLike(p, vocab), use_sliding_window: false },
    rest: silu,
  }),
  qwen3: (p, vocab) => ({
    className: "Qwen3ForCausalLM",
    config: { model_type: "qwen3", ...llamaLike(p, vocab), use_sliding_window: false },
    rest: { ...silu, attention_bias: false },
  }),
  gpt2: (p, vocab) => ({
    className: "GPT2LMHeadModel",
    config: {
      model_type: "gpt2",
      vocab_size: vocab,
      n_embd: p.hidden_size,
      n_layer: p.layers,
      n_head: p.heads,
      n_positions: p.max_length,
      n_inner: p.intermediate_size,
      activation_function: "gelu_new",
      tie_word_embeddings: p.tie_embeddings,
      initializer_range: p.initializer_range,
    },
    rest: { layer_norm_epsilon: 1e-5 },
  }),
  gpt_neox: (p, vocab) => ({
    className: "GPTNeoXForCausalLM",
    config: {
      model_type: "gpt_neox",
      vocab_size: vocab,
      hidden_size: p.hidden_size,
      intermediate_size: p.intermediate_size,
      num_hidden_layers: p.layers,
      num_attention_heads: p.heads,
      max_position_embeddings: p.max_length,
      hidden_act: "gelu",
      rotary_pct: 0.25,
      rotary_emb_base: p.rope_theta,
      use_parallel_residual: true,
      tie_word_embeddings: p.tie_embeddings,
      initializer_range: p.initializer_range,
    },
    rest: { layer_norm_eps: 1e-5 },
  }),
} as const satisfies Record<string, (p: DecoderParams, vocab: number) => Fresh>;

export type ArchitectureName = keyof typeof architectures;

export const freshConfig = (params: DecoderParams, vocabSize: number): Fresh =>
  architectures[params.architecture](params, vocabSize);
