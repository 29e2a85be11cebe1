// The config.json of a fresh T5, and the sentinels behind its vocabulary.
import type { ModelConfig } from "../../tensor/index.ts";

export interface EncoderDecoderParams {
  readonly layers: number;
  readonly decoder_layers?: number;
  readonly hidden_size: number;
  readonly heads: number;
  readonly head_size?: number;
  readonly intermediate_size: number;
  readonly relative_attention_num_buckets: number;
  readonly relative_attention_max_distance: number;
  readonly layer_norm_epsilon: number;
  readonly initializer_factor: number;
  readonly extra_ids: number;
  readonly seed: number;
}

/** `<extra_id_0>` has the highest id, as in T5. */
export const sentinels = ({ extra_ids }: EncoderDecoderParams): string[] =>
  Array.from({ length: extra_ids }, (_, i) => `<extra_id_${extra_ids - 1 - i}>`);

export function freshConfig(p: EncoderDecoderParams, vocab_size: number, start: number): ModelConfig {
  return {
    model_type: "t5",
    vocab_size,
    d_model: p.hidden_size,
    d_kv: p.head_size ?? p.hidden_size / p.heads,
    d_ff: p.intermediate_size,
    num_layers: p.layers,
    num_decoder_layers: p.decoder_layers ?? p.layers,
    num_heads: p.heads,
    relative_attention_num_buckets: p.relative_attention_num_buckets,
    relative_attention_max_distance: p.relative_attention_max_distance,
    layer_norm_epsilon: p.layer_norm_epsilon,
    initializer_factor: p.initializer_factor,
    feed_forward_proj: "gated-gelu",
    tie_word_embeddings: false,
    decoder_start_token_id: start,
  };
}

/** What transformers reads besides. It wants its floats with a point, which JSON's 1 has not, and this one is of fresh weights only. */
export const rest = {
  initializer_factor: undefined,
  is_encoder_decoder: true,
  is_gated_act: true,
  dense_act_fn: "gelu_new",
  use_cache: true,
};
