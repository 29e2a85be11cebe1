// Writes GGUF version 3 as llama.cpp loads it: settings, tokenizer, then one tensor after the other.
import { type FileHandle, open } from "node:fs/promises";
import { numberOf, quantise, type WrittenType } from "./ggml-quantise.ts";
import { ggmlTypes } from "./ggml-types.ts";
import { type GgufSettings, ggufName, metadataOf, permute, permutedHeads } from "./gguf-model.ts";
import { tokenizerMetadataOf } from "./gguf-tokenizer.ts";
import { unsupported } from "./gguf-unsupported.ts";
import type { ModelFolder } from "./hf-folder.ts";

export interface GgufOptions {
  /** Of matrices; vectors stay F32, and a matrix whose rows are no multiple of 32 becomes F16 instead of Q8_0. */
  readonly type: WrittenType;
  /** `general.name` */
  readonly name?: string;
  readonly onTensor?: (done: number, total: number) => void;
}

const alignment = 32;
/** `general.file_type` */
const fileTypes = { F32: 0, F16: 1, Q8_0: 7 } as const;

type Value = string | number | boolean | readonly string[] | Int32Array | Float32Array;

/** Not atomic: write to a temporary name and rename. */
export async function writeGguf(path: string, model: ModelFolder, options: GgufOptions): Promise<void> {
  const { config, dir } = model;
  const { settings: known, tensors: more } = metadataOf(config, dir);
  const [architecture, ...rest] = known;
  const settings: (readonly [string, Value])[] = [
    architecture!,
    ["general.type", "model"],
    ...(options.name === undefined ? [] : [["general.name", options.name] as const]),
    ["general.file_type", fileTypes[options.type]],
    ["general.quantization_version", 2],
    ...rest,
  ];
  const weights = await model.weights();
  try {
    const [ids] = weights.shapes.get("model.embed_tokens.weight") ?? [];
    if (ids !== config.vocab_size) {
      throw unsupported(
        `config.json says ${config.vocab_size} tokens but there are embeddings of ${ids}`,
        dir,
      );
    }
    const tokenizer = tokenizerMetadataOf(await model.tokenizer(), ids!, dir);
    const metadata = new Map<string, Value>([...settings, ...tokenizer]);
    const tensors = layOut(weights.shapes, more, config, options.type, dir);
    const handle = await open(path, "w");
    try {
      const head = headerBytes(metadata, tensors);
      await write(handle, head);
      const read = async (hf: string) => {
        const tensor = await weights.read(hf);
        const heads = permutedHeads(hf, config);
        return heads === undefined ? tensor.data : permute(tensor, heads, "gguf").data;
      };
      for (const [done, { hf, name, type, bytes }] of tensors.entries()) {
        options.onTensor?.(done, tensors.length);
        const data = hf === undefined ? more.get(name)! : await read(hf);
        await write(handle, quantise(data, type));
        await write(handle, new Uint8Array(padded(bytes) - bytes));
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
  } finally {
    await weights.close();
  }
}

interface Laid {
  /** Undefined for what is no tensor in a model folder. */
  readonly hf: string | undefined;
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: WrittenType;
  readonly offset: number;
  readonly bytes: number;
}

function layOut(
  shapes: ReadonlyMap<string, readonly number[]>,
  more: GgufSettings["tensors"],
  config: ModelFolder["config"],
  wanted: WrittenType,
  where: string,
): Laid[] {
  const laid: Laid[] = [];
  let offset = 0;
  const lay = (hf: string | undefined, name: string, shape: readonly number[], type: WrittenType) => {
    const { block, bytes: perBlock } = ggmlTypes.get(numberOf(type))!;
    const bytes = (shape.reduce((product, size) => product * size, 1) / block) * perBlock;
    laid.push({ hf, name, shape, type, offset, bytes });
    offset += padded(bytes);
  };
  for (const [name, data] of more) lay(undefined, name, [data.length], "F32");
  for (const [hf, shape] of shapes) {
    // A tied head may be stored a second time.
    if (hf === "lm_head.weight" && config.tie_word_embeddings === true) continue;
    const name = ggufName(hf);
    if (name === undefined) throw unsupported(`the tensor ${hf} has no place in GGUF`, where);
    const row = shape.at(-1) ?? 1;
    lay(hf, name, shape, shape.length < 2 ? "F32" : wanted === "Q8_0" && row % 32 !== 0 ? "F16" : wanted);
  }
  return laid;
}

function headerBytes(metadata: ReadonlyMap<string, Value>, tensors: readonly Laid[]): Uint8Array {
  const out = new Writer();
  out.raw(new TextEncoder().encode("GGUF"));
  out.u32(3);
  out.u64(tensors.length);
  out.u64(metadata.size);
  for (const [key, value] of metadata) {
    out.text(key);
    writeValue(out, key, value);
  }
  for (const { name, shape, type, offset } of tensors) {
    out.text(name);
    out.u32(shape.length);
    for (const size of [...shape].reverse()) out.u64(size);
    out.u32(numberOf(type));
    out.u64(offset);
  }
  out.raw(new Uint8Array(padded(out.length) - out.length));
  return out.bytes();
}

function writeValue(out: Writer, key: string, value: Value): void {
  if (typeof value === "string") {
    out.u32(8);
    out.text(value);
  } else if (typeof value === "boolean") {
    out.u32(7);
    out.raw(Uint8Array.of(value ? 1 : 0));
  } else if (typeof value === "number") {
    // These are floats, also when they are whole.
    const float = /\.(layer_norm_rms_epsilon|freq_base|scaling\.factor)$/.test(key);
    out.u32(float ? 6 : 4);
    if (float) out.f32(value);
    else out.u32(value);
  } else if (value instanceof Int32Array || value instanceof Float32Array) {
    out.u32(9);
    out.u32(value instanceof Int32Array ? 5 : 6);
    out.u64(value.length);
    out.raw(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  } else {
    out.u32(9);
    out.u32(8);
    out.u64(value.length);
    for (const text of value) out.text(text);
  }
}

function padded(length: number): number {
  return Math.ceil(length / alignment) * alignment;
}

class Writer {
  readonly #parts: Uint8Array[] = [];
  length = 0;

  raw(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    this.length += bytes.byteLength;
  }
  #number(size: number, set: (view: DataView) => void): void {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer));
    this.raw(bytes);
  }
  u32(value: number): void {
    this.#number(4, (view) => view.setUint32(0, value, true));
  }
  u64(value: number): void {
    this.#number(8, (view) => view.setBigUint64(0, BigInt(value), true));
  }
  f32(value: number): void {
    this.#number(4, (view) => view.setFloat32(0, value, true));
  }
  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.u64(bytes.byteLength);
    this.raw(bytes);
  }
  bytes(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

async function write(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += (await handle.write(bytes, done, Math.min(bytes.byteLength - done, 2 ** 30))).bytesWritten;
  }
}
