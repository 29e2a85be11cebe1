// A model folder as Hugging Face libraries write and read it.
import { writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { FileError } from "./error.ts";
import { readJsonObject } from "./json-file.ts";
import { openSafetensors, type TensorMap, writeSafetensors } from "./safetensors.ts";
import { loadTokenizer, type Tokenizer } from "./tokenizer.ts";
import type { JsonObject, TokenizerFiles } from "./tokenizer-files.ts";

export interface ModelFolder {
  readonly dir: string;
  /** config.json */
  readonly config: JsonObject;
  readonly generationConfig: JsonObject | undefined;
  tensors(): Promise<TensorMap>;
  tokenizer(): Promise<Tokenizer>;
}

/** Reads the small files; weights and tokenizer when they are asked for. */
export async function openModelFolder(dir: string): Promise<ModelFolder> {
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
    tokenizer: () => loadTokenizer(dir),
  };
}

/** model.safetensors, or the shards that model.safetensors.index.json lists, as fp32. */
export async function readWeights(dir: string): Promise<TensorMap> {
  const shards = await shardsOf(dir);
  const tensors: TensorMap = new Map();
  for (const [shard, wanted] of shards) {
    const file = await openSafetensors(join(dir, shard)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
      throw new FileError({
        code: "model-folder",
        message: `there is no ${shard}`,
        where: dir,
        help: "weights are read as safetensors; transformers writes them with save_pretrained",
      });
    });
    try {
      for (const name of wanted ?? file.tensors.keys()) tensors.set(name, await file.read(name));
    } finally {
      await file.close();
    }
  }
  return tensors;
}

/** File name to the tensors wanted of it; undefined for all. */
async function shardsOf(dir: string): Promise<Map<string, string[] | undefined>> {
  const path = join(dir, "model.safetensors.index.json");
  const index = await readJsonObject(path, "model-folder");
  if (!index) return new Map([["model.safetensors", undefined]]);
  const { weight_map: weightMap } = index;
  if (typeof weightMap !== "object" || weightMap === null) {
    throw new FileError({ code: "model-folder", message: "the index has no weight_map", where: path });
  }
  const shards = new Map<string, string[]>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    // A shard lies beside its index, never elsewhere.
    if (typeof shard !== "string" || basename(shard) !== shard) {
      throw new FileError({
        code: "model-folder",
        message: `the index places ${tensor} in ${JSON.stringify(shard)}, which is not a file beside it`,
        where: path,
      });
    }
    shards.set(shard, [...(shards.get(shard) ?? []), tensor]);
  }
  return shards;
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
