// Reads and writes safetensors files: whole, or lazily one tensor at a time.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Dtype, toFloat32 } from "./dtype.ts";
import { FileError } from "./error.ts";
import { readExactly } from "./read-exactly.ts";
import { headerLength, parseHeader, type TensorInfo } from "./safetensors-header.ts";

/** An fp32 tensor, row-major. */
export interface Tensor {
  shape: number[];
  data: Float32Array;
}
export type TensorMap = Map<string, Tensor>;

/** An open file; nothing but the header is in memory until a tensor is asked for. */
export interface SafetensorsFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** By name, in file order. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** As fp32, whatever it is stored as. */
  read(name: string): Promise<Tensor>;
  /** As stored. */
  raw(name: string): Promise<{ dtype: Dtype; shape: number[]; bytes: Uint8Array }>;
  close(): Promise<void>;
}

export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    const file = { path, code: "safetensors-truncated" } as const;
    const { size } = await handle.stat();
    const first = await readExactly(handle, 0, Math.min(8, size), file);
    const length = headerLength(first, size, path);
    const header = parseHeader(await readExactly(handle, 8, length, file), size, path);
    return reader(handle, path, header.metadata, new Map(header.tensors.map((t) => [t.name, t])));
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function reader(
  handle: FileHandle,
  path: string,
  metadata: Readonly<Record<string, string>>,
  tensors: ReadonlyMap<string, TensorInfo>,
): SafetensorsFile {
  async function raw(name: string) {
    const info = tensors.get(name);
    if (!info) {
      throw new FileError({ code: "tensor-missing", message: `there is no tensor ${name}`, where: path });
    }
    const bytes = await readExactly(handle, info.begin, info.end - info.begin, {
      path,
      code: "safetensors-truncated",
    });
    return { dtype: info.dtype, shape: [...info.shape], bytes };
  }
  return {
    path,
    metadata,
    tensors,
    raw,
    async read(name) {
      const { dtype, shape, bytes } = await raw(name);
      return { shape, data: toFloat32(bytes, dtype, name) };
    },
    close: () => handle.close(),
  };
}

/** Every tensor of a file, as fp32. */
export async function readSafetensors(path: string): Promise<TensorMap> {
  const file = await openSafetensors(path);
  try {
    const tensors: TensorMap = new Map();
    for (const name of file.tensors.keys()) tensors.set(name, await file.read(name));
    return tensors;
  } finally {
    await file.close();
  }
}

/** Every tensor of a file's bytes, as fp32. */
export function decodeSafetensors(bytes: Uint8Array, where?: string): TensorMap {
  const length = headerLength(bytes.subarray(0, 8), bytes.byteLength, where);
  const header = parseHeader(bytes.subarray(8, 8 + length), bytes.byteLength, where);
  return new Map(
    header.tensors.map((t) => [
      t.name,
      { shape: [...t.shape], data: toFloat32(bytes.subarray(t.begin, t.end), t.dtype, t.name) },
    ]),
  );
}

/**
 * Writes fp32 tensors, the same bytes for the same tensors whatever the map's order: names sorted by code
 * unit, header padded with spaces to 8 bytes. The write is not atomic; write to a temporary name and rename.
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> {
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  return streamSafetensors(path, shapes, async (name) => tensors.get(name)!.data, metadata);
}

/** As `writeSafetensors`, with one tensor in memory at a time. */
export async function streamSafetensors(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  data: (name: string) => Promise<Float32Array>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<void> {
  const handle = await open(path, "w");
  try {
    await writeAll(handle, headerOf(shapes, metadata));
    for (const name of inOrder(shapes)) {
      await writeAll(handle, bytesOf(name, shapes.get(name)!, await data(name)));
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What `writeSafetensors` would write. */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Uint8Array {
  const shapes = new Map([...tensors].map(([name, { shape }]) => [name, shape]));
  const data = inOrder(shapes).map((name) => bytesOf(name, shapes.get(name)!, tensors.get(name)!.data));
  return Buffer.concat([headerOf(shapes, metadata), ...data]);
}

function inOrder(shapes: ReadonlyMap<string, unknown>): string[] {
  return [...shapes.keys()].sort();
}

function headerOf(
  shapes: ReadonlyMap<string, readonly number[]>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const members = [`"__metadata__":${JSON.stringify(metadata)}`];
  let offset = 0;
  for (const name of inOrder(shapes)) {
    const shape = shapes.get(name)!;
    const end = offset + 4 * shape.reduce((product, size) => product * size, 1);
    members.push(
      `${JSON.stringify(name)}:${JSON.stringify({ dtype: "F32", shape, data_offsets: [offset, end] })}`,
    );
    offset = end;
  }
  const text = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);
  return padded;
}

function bytesOf(name: string, shape: readonly number[], data: Float32Array): Uint8Array {
  const values = shape.reduce((product, size) => product * size, 1);
  if (values !== data.length) {
    throw new FileError({
      code: "tensor-shape",
      message: `${name} has the shape [${shape}], ${values} values, but ${data.length} are given`,
    });
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const length = Math.min(bytes.byteLength - done, 2 ** 30);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}
