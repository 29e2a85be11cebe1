// LoRA adapters as PEFT keeps them: adapter_config.json and adapter_model.safetensors.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TaskError } from "../../engine/index.ts";
import { fromPeft, type LoraOptions, type Params, peftConfig, tensor, toPeft } from "../../tensor/index.ts";
import { readSafetensors, type TensorMap, writeSafetensors } from "../../tensor/io/index.ts";

export async function writeAdapter(
  dir: string,
  adapters: Params,
  options: LoraOptions & { readonly dropout: number; readonly encodes?: boolean },
): Promise<void> {
  await mkdir(dir, { recursive: true });
  // The base is named by whoever loads it: PeftModel.from_pretrained(base, dir).
  const config = peftConfig({ ...options, base: null });
  await writeFile(join(dir, "adapter_config.json"), `${JSON.stringify(config, null, 2)}\n`);
  const tensors: TensorMap = new Map();
  for (const [name, { shape, data }] of Object.entries(toPeft(adapters)))
    tensors.set(name, { shape: [...shape], data });
  await writeSafetensors(join(dir, "adapter_model.safetensors"), tensors);
}

export interface Adapter {
  readonly params: Params;
  readonly r: number;
  /** The update is alpha/r · B A, also where PEFT says it otherwise (rsLoRA). */
  readonly alpha: number;
}

/** The adapter in a folder, or undefined where there is no adapter_config.json. */
export async function readAdapter(dir: string): Promise<Adapter | undefined> {
  const path = join(dir, "adapter_config.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    // ENOTDIR: a GGUF file, which has no adapter beside it.
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const config = JSON.parse(text) as Record<string, unknown>;
  const { peft_type, r, lora_alpha, use_rslora = false } = config;
  const unlike = ["rank_pattern", "alpha_pattern"].find((name) => Object.keys(config[name] ?? {}).length > 0);
  if (peft_type !== "LORA" || typeof r !== "number" || typeof lora_alpha !== "number" || unlike) {
    throw new TaskError({
      code: "unsupported-adapter",
      message: unlike ? `the adapter has a ${unlike}` : `this is not a LoRA adapter (${String(peft_type)})`,
      where: path,
      help: "merge it into its base with PEFT's merge_and_unload first",
    });
  }
  const saved: Params = {};
  for (const [name, { shape, data }] of await readSafetensors(join(dir, "adapter_model.safetensors")))
    saved[name] = tensor(data, shape);
  return { params: fromPeft(saved), r, alpha: use_rslora ? lora_alpha * Math.sqrt(r) : lora_alpha };
}
