// A GGUF file seen as a model folder: the same configuration, tensors and tokenizer under the folder's names.
import { type GgufFile, openGguf } from "./gguf.ts";
import { configOf, hfName, permute, permutedHeads } from "./gguf-model.ts";
import { divisorsName } from "./gguf-rope.ts";
import { tokenizerFilesOf } from "./gguf-tokenizer.ts";
import { unsupported } from "./gguf-unsupported.ts";
import type { JsonObject, TokenizerFiles } from "./tokenizer-files.ts";
import type { Weights } from "./weights.ts";

export interface GgufModel {
  readonly config: JsonObject;
  readonly generationConfig: JsonObject;
  readonly tokenizer: TokenizerFiles;
  readonly weights: Weights;
}

/** Reads the header; tensors when they are asked for. Close the weights when done. */
export async function openGgufModel(path: string): Promise<GgufModel> {
  const file = await openGguf(path);
  try {
    return await modelIn(file);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function modelIn(file: GgufFile): Promise<GgufModel> {
  const { path, metadata } = file;
  const shapesThere = new Map([...file.tensors].map(([name, { shape }]) => [name, shape]));
  const divisors = shapesThere.has(divisorsName) ? (await file.read(divisorsName)).data : undefined;
  const config = configOf(metadata, shapesThere, divisors, path);
  const shapes = new Map<string, readonly number[]>();
  const stored = new Map<string, string>();
  for (const [name, shape] of shapesThere) {
    if (name === divisorsName) continue;
    const hf = hfName(name);
    if (hf === undefined) {
      throw unsupported(`the tensor ${name} has no place in a ${String(config.model_type)} model`, path);
    }
    shapes.set(hf, shape);
    stored.set(hf, name);
  }
  const tokenizer = tokenizerFilesOf(metadata, path);
  const end = [metadata.get("tokenizer.ggml.eos_token_id"), metadata.get("tokenizer.ggml.eot_token_id")];
  const eos = [...new Set(end.filter((id) => id !== undefined))];
  return {
    config,
    generationConfig: {
      bos_token_id: config.bos_token_id,
      eos_token_id: eos.length > 1 ? eos : (eos[0] ?? null),
      pad_token_id: config.pad_token_id,
    },
    tokenizer,
    weights: {
      shapes,
      async read(name) {
        const tensor = await file.read(stored.get(name) ?? name);
        const heads = permutedHeads(name, config);
        return heads === undefined ? tensor : permute(tensor, heads, "hf");
      },
      close: () => file.close(),
    },
  };
}
