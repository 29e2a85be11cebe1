// Reads GGUF files lazily, one tensor at a time, as fp32.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { FileError } from "./error.ts";
import { readableTypes } from "./ggml-types.ts";
import { type GgufHeader, type GgufMetadata, type GgufTensor, parseGguf } from "./gguf-header.ts";
import { readExactly } from "./read-exactly.ts";
import type { Tensor, TensorMap } from "./safetensors.ts";

/** An open file; nothing but the header is in memory until a tensor is asked for. */
export interface GgufFile {
  readonly path: string;
  readonly metadata: GgufMetadata;
  /** By name, in file order. */
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** As fp32, whatever it is stored as. */
  read(name: string): Promise<Tensor>;
  close(): Promise<void>;
}

/** The first try; vocabularies make headers of a few MB. */
const firstRead = 1 << 22;

export async function openGguf(path: string): Promise<GgufFile> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    const header = await readHeader(handle, path);
    const tensors = new Map(header.tensors.map((t) => [t.name, t]));
    return {
      path,
      metadata: header.metadata,
      tensors,
      async read(name) {
        const tensor = tensors.get(name);
        if (!tensor) {
          throw new FileError({ code: "tensor-missing", message: `there is no tensor ${name}`, where: path });
        }
        const length = tensor.end - tensor.begin;
        return decode(
          tensor,
          await readExactly(handle, tensor.begin, length, { path, code: "gguf-truncated" }),
          path,
        );
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readHeader(handle: FileHandle, path: string): Promise<GgufHeader> {
  const { size } = await handle.stat();
  for (let length = Math.min(firstRead, size); ; length = Math.min(4 * length, size)) {
    const start = await readExactly(handle, 0, length, { path, code: "gguf-truncated" });
    const header = parseGguf(start, size, path);
    if (header !== "more") return header;
  }
}

/** Every tensor of a file's bytes, as fp32. */
export function decodeGguf(
  bytes: Uint8Array,
  where?: string,
): { readonly metadata: GgufMetadata; readonly tensors: TensorMap } {
  const { metadata, tensors } = parseGguf(bytes, bytes.byteLength, where) as GgufHeader;
  return {
    metadata,
    tensors: new Map(tensors.map((t) => [t.name, decode(t, bytes.subarray(t.begin, t.end), where)])),
  };
}

function decode({ name, type, shape, values }: GgufTensor, bytes: Uint8Array, where?: string): Tensor {
  if (!type.dequantise) {
    throw new FileError({
      code: "gguf-type",
      message: `${name} is stored as ${type.name}, which is not read`,
      where,
      help: `take a file of another quantisation: ${readableTypes.join(", ")}`,
    });
  }
  const data = new Float32Array(values);
  type.dequantise(bytes, data);
  return { shape: [...shape], data };
}
