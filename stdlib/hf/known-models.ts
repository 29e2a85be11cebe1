// Shapes of the models that the published recipes start from, as their config.json on the hub has them: enough to
// estimate a run before anything is downloaded. What is downloaded speaks for itself.
import type { ModelConfig } from "../../tensor/index.ts";

const pythia = { model_type: "gpt_neox", max_position_embeddings: 2048, tie_word_embeddings: false } as const;
const cerebras = { model_type: "gpt2", vocab_size: 50257, n_positions: 2048 } as const;

export const knownModels: Readonly<Record<string, ModelConfig>> = {
  "EleutherAI/pythia-2.8b": {
    ...pythia,
    vocab_size: 50304,
    hidden_size: 2560,
    intermediate_size: 10240,
    num_hidden_layers: 32,
    num_attention_heads: 32,
  },
  "EleutherAI/pythia-12b": {
    ...pythia,
    vocab_size: 50688,
    hidden_size: 5120,
    intermediate_size: 20480,
    num_hidden_layers: 36,
    num_attention_heads: 40,
  },
  "cerebras/Cerebras-GPT-1.3B": { ...cerebras, n_embd: 2048, n_inner: 8192, n_layer: 24, n_head: 16 },
  "cerebras/Cerebras-GPT-6.7B": { ...cerebras, n_embd: 4096, n_inner: 16384, n_layer: 32, n_head: 32 },
  "huggyllama/llama-65b": {
    model_type: "llama",
    vocab_size: 32000,
    hidden_size: 8192,
    intermediate_size: 22016,
    num_hidden_layers: 80,
    num_attention_heads: 64,
    max_position_embeddings: 2048,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
  },
  "mistralai/Mistral-7B-v0.1": {
    model_type: "mistral",
    vocab_size: 32000,
    hidden_size: 4096,
    intermediate_size: 14336,
    num_hidden_layers: 32,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 32768,
    sliding_window: 4096,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: false,
  },
  "google/t5-xl-lm-adapt": {
    model_type: "t5",
    vocab_size: 32128,
    d_model: 2048,
    d_kv: 64,
    d_ff: 5120,
    num_layers: 24,
    num_heads: 32,
    feed_forward_proj: "gated-gelu",
    tie_word_embeddings: false,
  },
};
