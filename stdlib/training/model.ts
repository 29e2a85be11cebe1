// A model artifact in memory, and back: an HF folder with weights, configuration and tokenizer.
import { TaskError } from "../../engine/index.ts";
import { type LlamaConfig, type Params, tensor } from "../../tensor/index.ts";
import { type JsonObject, openModelFolder, type Tokenizer, writeModelFolder } from "../../tensor/io/index.ts";

export interface OpenModel {
  readonly config: LlamaConfig;
  /** Everything in config.json, to be written back as it was. */
  readonly configFile: JsonObject;
  readonly generationConfig: JsonObject | undefined;
  readonly params: Params;
  readonly tokenizer: Tokenizer & { readonly eos: number };
}

export async function openModel({
  dir,
  node,
}: {
  readonly dir: string;
  readonly node: string;
}): Promise<OpenModel> {
  const folder = await openModelFolder(dir);
  const { model_type } = folder.config;
  if (model_type !== "llama") {
    throw new TaskError({
      code: "unsupported-model",
      message: `${node} is a ${String(model_type)} model; this version runs models of the llama type`,
      where: `${dir}/config.json`,
    });
  }
  const tokenizer = await folder.tokenizer();
  const { eos } = tokenizer;
  if (eos === undefined) {
    throw new TaskError({
      code: "no-eos-token",
      message: `the tokenizer of ${node} names no eos_token, so a response could never end`,
      where: `${dir}/tokenizer_config.json`,
      help: 'add "eos_token" to tokenizer_config.json',
    });
  }
  const params: Params = {};
  for (const [name, { shape, data }] of await folder.tensors()) params[name] = tensor(data, shape);
  return {
    config: folder.config as unknown as LlamaConfig,
    configFile: folder.config,
    generationConfig: folder.generationConfig,
    params,
    tokenizer: { ...tokenizer, eos },
  };
}

/** Writes tuned weights with the configuration and tokenizer of the model they came from. */
export async function saveModel(dir: string, from: OpenModel, params: Params): Promise<void> {
  await writeModelFolder(dir, {
    config: from.configFile,
    generationConfig: from.generationConfig,
    tokenizer: from.tokenizer.files,
    tensors: new Map(
      Object.entries(params).map(([name, { shape, data }]) => [name, { shape: [...shape], data }]),
    ),
  });
}
