// Writes a model that nobody has trained yet: weights from a named stream, and the tokenizer that it was made for.
import type { RunResult } from "../../engine/index.ts";
import { initialize, type ModelConfig, parameterCount, stream } from "../../tensor/index.ts";
import { type TokenizerFiles, writeModelFolder } from "../../tensor/io/index.ts";

export interface FreshModel {
  readonly config: ModelConfig;
  /** Its class in transformers. */
  readonly className: string;
  /** Ids of the special tokens, which generation_config.json repeats. */
  readonly tokens: Readonly<Record<string, number | null>>;
  /** What transformers reads besides. */
  readonly rest: Readonly<Record<string, unknown>>;
  readonly tokenizer: TokenizerFiles;
  readonly seed: number;
}

export async function writeFresh(out: string, model: FreshModel): Promise<RunResult> {
  const { config, className, tokens, rest, tokenizer, seed } = model;
  const weights = initialize(config, stream(seed).split("weights"));
  await writeModelFolder(out, {
    config: { architectures: [className], ...config, ...tokens, ...rest, torch_dtype: "float32" },
    generationConfig: { ...tokens },
    tokenizer,
    tensors: new Map(
      Object.entries(weights).map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
    ),
  });
  return { metrics: { parameters: parameterCount(config) } };
}
