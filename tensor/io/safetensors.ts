// Reads and writes safetensors files: whole, or lazily one tensor at a time.
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Dtype, toFloat32 } from "./dtype.ts";
import { FileError } from "./error.ts";
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
    const { size } = await handle.stat();
    const first = await readExactly(handle, 0, Math.min(8, size), path);
    const length = headerLength(first, size, path);
    const header = parseHeader(await readExactly(handle, 8, length, path), size, path);
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
    const bytes = await readExactly(handle, info.begin, info.end - info.begin, path);
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

async function readExactly(
  handle: FileHandle,
  at: number,
  length: number,
  path: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    // One read moves at most 2 GiB.
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 2 ** 30), at + done);
    if (bytesRead === 0) {
      throw new FileError({
        code: "safetensors-truncated",
        message: `the file ended ${length - done} bytes early while it was read`,
        where: path,
      });
    }
    done += bytesRead;
  }
  return bytes;
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
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = { format: "pt" },
): Promise<void> {
  const handle = await open(path, "w");
  try {
    for (const part of parts(tensors, metadata)) await writeAll(handle, part);
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
  return Buffer.concat([...parts(tensors, metadata)]);
}

function* parts(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  const names = [...tensors.keys()].sort();
  const members = [`"__metadata__":${JSON.stringify(metadata)}`];
  let offset = 0;
  for (const name of names) {
    const { shape, data } = tensors.get(name)!;
    const values = shape.reduce((product, size) => product * size, 1);
    if (values !== data.length) {
      throw new FileError({
        code: "tensor-shape",
        message: `${name} has the shape [${shape}], ${values} values, but ${data.length} are given`,
      });
    }
    const entry = { dtype: "F32", shape, data_offsets: [offset, offset + data.byteLength] };
    members.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    offset += data.byteLength;
  }
  const text = new TextEncoder().encode(`{${members.join(",")}}`);
  const padded = new Uint8Array(8 + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(padded.buffer).setBigUint64(0, BigInt(padded.length - 8), true);
  padded.set(text, 8);
  yield padded;
  for (const name of names) {
    const { data } = tensors.get(name)!;
    yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const length = Math.min(bytes.byteLength - done, 2 ** 30);
    done += (await handle.write(bytes, done, length)).bytesWritten;
  }
}
