// Makes a fresh decoder: configuration from the parameters, weights from a named stream, tokenizer as given.
import type { ModelRun, OutputContext, RunResult } from "../../engine/index.ts";
import { loadTokenizer } from "../../tensor/io/index.ts";
import { writeFresh } from "../training/fresh.ts";
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

async function run({ params, inputs, out }: OutputContext<DecoderParams>): Promise<RunResult> {
  const tokenizer = await loadTokenizer(inputs.tokenizer![0]!.dir);
  const tokens = {
    bos_token_id: tokenizer.bos ?? null,
    eos_token_id: tokenizer.eos ?? null,
    pad_token_id: tokenizer.pad ?? null,
  };
  const fresh = freshConfig(params, tokenizer.vocabSize);
  return writeFresh(out, { ...fresh, tokens, tokenizer: tokenizer.files, seed: params.seed });
}
