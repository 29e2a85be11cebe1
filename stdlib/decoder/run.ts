// Makes a fresh decoder: configuration from the parameters, weights from a named stream, tokenizer as given.
import type { ModelRun, OutputContext, RunResult } from "../../engine/index.ts";
import { initialize, type LlamaConfig, parameterCount, stream } from "../../tensor/index.ts";
import { loadTokenizer, writeModelFolder } from "../../tensor/io/index.ts";

export interface DecoderParams {
  readonly layers: number;
  readonly hidden_size: number;
  readonly heads: number;
  readonly kv_heads?: number;
  readonly intermediate_size: number;
  readonly max_length: number;
  readonly rope_theta: number;
  readonly rms_norm_eps: number;
  readonly tie_embeddings: boolean;
  readonly initializer_range: number;
  readonly seed: number;
}

export const decoder: ModelRun<DecoderParams> = { run };

async function run(ctx: OutputContext<DecoderParams>): Promise<RunResult> {
  const { params, inputs } = ctx;
  const tokenizer = await loadTokenizer(inputs.tokenizer![0]!.dir);
  const config = {
    vocab_size: tokenizer.vocabSize,
    hidden_size: params.hidden_size,
    intermediate_size: params.intermediate_size,
    num_hidden_layers: params.layers,
    num_attention_heads: params.heads,
    num_key_value_heads: params.kv_heads ?? params.heads,
    head_dim: params.hidden_size / params.heads,
    max_position_embeddings: params.max_length,
    rms_norm_eps: params.rms_norm_eps,
    rope_theta: params.rope_theta,
    tie_word_embeddings: params.tie_embeddings,
    initializer_range: params.initializer_range,
  } satisfies LlamaConfig;
  const weights = initialize(config, stream(params.seed).split("weights"));
  const tokens = {
    bos_token_id: tokenizer.bos ?? null,
    eos_token_id: tokenizer.eos ?? null,
    pad_token_id: tokenizer.pad ?? null,
  };
  await writeModelFolder(ctx.out, {
    config: {
      architectures: ["LlamaForCausalLM"],
      model_type: "llama",
      ...config,
      ...tokens,
      hidden_act: "silu",
      attention_bias: false,
      mlp_bias: false,
      torch_dtype: "float32",
    },
    generationConfig: { ...tokens },
    tokenizer: tokenizer.files,
    tensors: new Map(
      Object.entries(weights).map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
    ),
  });
  return { metrics: { parameters: parameterCount(config) } };
}
