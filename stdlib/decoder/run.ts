// Makes a fresh decoder: configuration from the parameters, weights from a named stream, tokenizer as given.
import type { ModelRun, OutputContext, RunResult } from "../../engine/index.ts";
import { initialize, parameterCount, stream } from "../../tensor/index.ts";
import { loadTokenizer, writeModelFolder } from "../../tensor/io/index.ts";
import { type ArchitectureName, freshConfig } from "./architectures.ts";

export interface DecoderParams {
  readonly architecture: ArchitectureName;
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
  const { className, config, rest } = freshConfig(params, tokenizer.vocabSize);
  const weights = initialize(config, stream(params.seed).split("weights"));
  const tokens = {
    bos_token_id: tokenizer.bos ?? null,
    eos_token_id: tokenizer.eos ?? null,
    pad_token_id: tokenizer.pad ?? null,
  };
  await writeModelFolder(ctx.out, {
    config: { architectures: [className], ...config, ...tokens, ...rest, torch_dtype: "float32" },
    generationConfig: { ...tokens },
    tokenizer: tokenizer.files,
    tensors: new Map(
      Object.entries(weights).map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
    ),
  });
  return { metrics: { parameters: parameterCount(config) } };
}
