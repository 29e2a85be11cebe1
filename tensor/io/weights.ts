// The weights of a model as fp32, one tensor in memory at a time.
import { basename, join } from "node:path";
import { FileError } from "./error.ts";
import { readJsonObject } from "./json-file.ts";
import { openSafetensors, type SafetensorsFile, type Tensor } from "./safetensors.ts";

export interface Weights {
  readonly shapes: ReadonlyMap<string, readonly number[]>;
  read(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

/** model.safetensors of a folder, or the shards that model.safetensors.index.json lists. */
export async function openWeights(dir: string): Promise<Weights> {
  const shards = await shardsOf(dir);
  const files: SafetensorsFile[] = [];
  const close = async () => {
    for (const file of files) await file.close();
  };
  try {
    const where = new Map<string, SafetensorsFile>();
    for (const [shard, wanted] of shards) {
      const file = await openShard(dir, shard);
      files.push(file);
      for (const name of wanted ?? file.tensors.keys()) {
        if (!file.tensors.has(name)) {
          throw new FileError({
            code: "tensor-missing",
            message: `there is no tensor ${name}`,
            where: file.path,
          });
        }
        where.set(name, file);
      }
    }
    return {
      shapes: new Map([...where].map(([name, file]) => [name, file.tensors.get(name)!.shape])),
      read(name) {
        const file = where.get(name);
        if (file) return file.read(name);
        throw new FileError({ code: "tensor-missing", message: `there is no tensor ${name}`, where: dir });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openShard(dir: string, shard: string): Promise<SafetensorsFile> {
  try {
    return await openSafetensors(join(dir, shard));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    throw new FileError({
      code: "model-folder",
      message: `there is no ${shard}`,
      where: dir,
      help: "weights are read as safetensors; transformers writes them with save_pretrained",
    });
  }
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
