// A model folder as Hugging Face libraries write and read it.
import { stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { FileError } from "./error.ts";
import { openGgufModel } from "./gguf-folder.ts";
import { readJsonObject } from "./json-file.ts";
import { streamSafetensors, type TensorMap, writeSafetensors } from "./safetensors.ts";
import { loadTokenizer, makeTokenizer, type Tokenizer } from "./tokenizer.ts";
import type { JsonObject, TokenizerFiles } from "./tokenizer-files.ts";
import { openWeights, type Weights } from "./weights.ts";

export interface ModelFolder {
  readonly dir: string;
  /** config.json */
  readonly config: JsonObject;
  readonly generationConfig: JsonObject | undefined;
  tensors(): Promise<TensorMap>;
  /** The same, one at a time; to be closed. */
  weights(): Promise<Weights>;
  tokenizer(): Promise<Tokenizer>;
}

/** Reads the small files; weights and tokenizer when they are asked for. A GGUF file counts as a folder. */
export async function openModelFolder(dir: string): Promise<ModelFolder> {
  if ((await stat(dir).catch(() => undefined))?.isFile()) return openFile(dir);
  const config = await readJsonObject(join(dir, "config.json"), "model-folder");
  if (!config) {
    throw new FileError({
      code: "model-folder",
      message: "there is no config.json, so this is not a model folder",
      where: dir,
    });
  }
  return {
    dir,
    config,
    generationConfig: await readJsonObject(join(dir, "generation_config.json"), "model-folder"),
    tensors: () => readWeights(dir),
    weights: () => openWeights(dir),
    tokenizer: () => loadTokenizer(dir),
  };
}

async function openFile(path: string): Promise<ModelFolder> {
  const { config, generationConfig, tokenizer, weights } = await openGgufModel(path);
  await weights.close();
  const again = async () => (await openGgufModel(path)).weights;
  return {
    dir: path,
    config,
    generationConfig,
    tensors: async () => readAll(await again()),
    weights: again,
    tokenizer: async () => makeTokenizer(tokenizer, path),
  };
}

/** Writes a model into an existing folder, one tensor in memory at a time. */
export async function copyModel(
  from: ModelFolder,
  to: string,
  onTensor: (done: number, total: number) => void = () => {},
): Promise<void> {
  const { files } = await from.tokenizer();
  const { config, generationConfig } = from;
  await writeModelFolder(to, { config, generationConfig, tokenizer: files });
  const weights = await from.weights();
  try {
    let done = 0;
    await streamSafetensors(join(to, "model.safetensors"), weights.shapes, async (name) => {
      onTensor(done++, weights.shapes.size);
      return (await weights.read(name)).data;
    });
  } finally {
    await weights.close();
  }
}

/** Every tensor of a model folder, as fp32. */
export async function readWeights(dir: string): Promise<TensorMap> {
  return readAll(await openWeights(dir));
}

async function readAll(weights: Weights): Promise<TensorMap> {
  try {
    const tensors: TensorMap = new Map();
    for (const name of weights.shapes.keys()) tensors.set(name, await weights.read(name));
    return tensors;
  } finally {
    await weights.close();
  }
}

export interface ModelParts {
  readonly config: JsonObject;
  readonly tensors?: TensorMap;
  readonly tokenizer?: TokenizerFiles;
  readonly generationConfig?: JsonObject | undefined;
}

/** Writes what is given into an existing folder. Not atomic: the caller's folder becomes visible when it is complete. */
export async function writeModelFolder(dir: string, parts: ModelParts): Promise<void> {
  await writeJson(join(dir, "config.json"), parts.config);
  if (parts.generationConfig) await writeJson(join(dir, "generation_config.json"), parts.generationConfig);
  if (parts.tokenizer) await writeTokenizer(dir, parts.tokenizer);
  if (parts.tensors) await writeSafetensors(join(dir, "model.safetensors"), parts.tensors);
}

export async function writeTokenizer(dir: string, files: TokenizerFiles): Promise<void> {
  await writeJson(join(dir, "tokenizer.json"), files.tokenizer);
  await writeJson(join(dir, "tokenizer_config.json"), files.config);
}

async function writeJson(path: string, value: JsonObject): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}
