// The header of a GGUF file (versions 2 and 3): checked completely before a byte of tensor data is allocated.
import { FileError } from "./error.ts";
import { type GgmlType, ggmlTypes } from "./ggml-types.ts";

export type GgufValue = number | bigint | boolean | string | GgufList;
/** Lists of numbers are typed arrays: never larger in memory than in the file. Truth values are 0 and 1. */
export type GgufList = readonly string[] | readonly GgufList[] | ArrayLike<number> | ArrayLike<bigint>;
export type GgufMetadata = ReadonlyMap<string, GgufValue>;

export interface GgufTensor {
  readonly name: string;
  readonly type: GgmlType;
  /** Slowest first, as in the rest of the house; the file has them the other way round. */
  readonly shape: readonly number[];
  readonly values: number;
  /** Byte range in the file, absolute. */
  readonly begin: number;
  readonly end: number;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: GgufMetadata;
  /** In file order. */
  readonly tensors: readonly GgufTensor[];
}

/** `bytes` is the file's start; "more" when the header goes on behind it. */
export function parseGguf(bytes: Uint8Array, fileBytes: number, where?: string): GgufHeader | "more" {
  try {
    return header(new Cursor(bytes, fileBytes, where));
  } catch (error) {
    if (error instanceof MoreNeeded) return "more";
    throw error;
  }
}

const maxName = 65_535;
const maxDepth = 3;

function header(cursor: Cursor): GgufHeader {
  const { fileBytes } = cursor;
  if (cursor.text(4, "latin1") !== "GGUF") throw cursor.invalid("it does not start with GGUF");
  const version = cursor.u32();
  if (version !== 2 && version !== 3) {
    const swapped = version === 0x02000000 || version === 0x03000000;
    throw cursor.invalid(
      swapped ? "it is big-endian" : `it has version ${version}`,
      "little-endian GGUF of version 2 or 3 is read: convert the model again with a current llama.cpp",
    );
  }
  // The least that a tensor takes: name length, number of dimensions, type, offset. A value: length, type, one byte.
  const tensorCount = cursor.count("tensors", 24);
  const valueCount = cursor.count("metadata values", 13);

  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < valueCount; i++) {
    const key = cursor.string("a metadata key", maxName);
    if (metadata.has(key)) throw cursor.invalid(`it has the metadata ${quoted(key)} twice`);
    metadata.set(key, cursor.value(cursor.u32(), key, 0));
  }
  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || alignment < 1 || alignment > 1 << 20 || !isPowerOfTwo(alignment)) {
    throw cursor.invalid(`general.alignment is ${String(alignment)}, which is not a power of two`);
  }

  const names = new Set<string>();
  const infos: (Omit<GgufTensor, "begin" | "end"> & { offset: number; bytes: number })[] = [];
  for (let i = 0; i < tensorCount; i++) {
    const name = cursor.string("a tensor name", maxName);
    if (names.has(name)) throw cursor.invalid(`it has the tensor ${quoted(name)} twice`);
    names.add(name);
    infos.push({ name, ...tensorInfo(cursor, name, alignment) });
  }

  const base = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = infos.map(({ offset, bytes, ...info }): GgufTensor => {
    const begin = base + offset;
    if (begin + bytes > fileBytes) {
      throw cursor.truncated(
        `${info.name} ends at byte ${begin + bytes} but the file has only ${fileBytes}: ${begin + bytes - fileBytes} bytes are missing`,
      );
    }
    return { ...info, begin, end: begin + bytes };
  });
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (let i = 1; i < tensors.length; i++) {
    const [before, tensor] = [tensors[i - 1]!, tensors[i]!];
    if (tensor.begin < before.end) throw cursor.invalid(`${tensor.name} overlaps ${before.name}`);
  }
  return { version, metadata, tensors };
}

function tensorInfo(cursor: Cursor, name: string, alignment: number) {
  const dimensions = cursor.u32();
  if (dimensions > 4) throw cursor.invalid(`${name} has ${dimensions} dimensions; at most 4 are allowed`);
  const shape: number[] = [];
  let values = 1;
  for (let d = 0; d < dimensions; d++) {
    const size = cursor.u64();
    if (!Number.isSafeInteger(Number(size)) || !Number.isSafeInteger(values * Number(size))) {
      throw cursor.invalid(`${name} has an impossible size, ${size}`);
    }
    shape.unshift(Number(size));
    values *= Number(size);
  }
  const number = cursor.u32();
  const type = ggmlTypes.get(number);
  if (!type) {
    throw cursor.invalid(
      `${name} has the unknown type ${number}`,
      "it is damaged, or of a newer format than this version knows",
    );
  }
  const row = shape.at(-1) ?? 1;
  if (row % type.block !== 0) {
    throw cursor.invalid(
      `${name} is ${type.name} with rows of ${row}, which are not blocks of ${type.block}`,
    );
  }
  const bytes = (values / type.block) * type.bytes;
  const offset = Number(cursor.u64());
  if (!Number.isSafeInteger(offset + bytes)) {
    throw cursor.invalid(`${name} has the impossible offset ${offset}`);
  }
  if (offset % alignment !== 0) {
    throw cursor.invalid(`${name} starts at ${offset}, which is not a multiple of ${alignment}`);
  }
  return { type, shape, values, offset, bytes };
}

const scalarBytes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8] as const;
const numbers = [
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Uint8Array,
  undefined,
  undefined,
  BigUint64Array,
  BigInt64Array,
  Float64Array,
] as const;
const stringType = 8;
const arrayType = 9;

/** The bytes at hand end before the file does. */
class MoreNeeded extends Error {}

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #where: string | undefined;
  readonly fileBytes: number;
  at = 0;

  constructor(bytes: Uint8Array, fileBytes: number, where: string | undefined) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#where = where;
    this.fileBytes = fileBytes;
  }

  /** Moves on by `length` and returns where that began. */
  #take(length: number, what: string): number {
    const { at } = this;
    if (at + length > this.fileBytes) {
      throw this.truncated(
        `the header wants ${what} of ${length} bytes at byte ${at} but the file has only ${this.fileBytes}`,
      );
    }
    if (at + length > this.#bytes.byteLength) throw new MoreNeeded();
    this.at += length;
    return at;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4, "a number"), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8, "a number"), true);
  }

  /** How many of something follow, each taking at least so many bytes. */
  count(what: string, least: number): number {
    const count = this.u64();
    if (count * BigInt(least) > BigInt(this.fileBytes - this.at)) {
      throw this.invalid(
        `it claims ${count} ${what}, more than fit into the ${this.fileBytes - this.at} bytes left`,
      );
    }
    return Number(count);
  }

  string(what: string, longest = this.fileBytes): string {
    const length = this.u64();
    if (length > BigInt(this.fileBytes - this.at)) {
      throw this.invalid(
        `${what} claims ${length} bytes, more than the ${this.fileBytes - this.at} that are left`,
      );
    }
    if (length > BigInt(longest)) {
      throw this.invalid(`${what} has ${length} bytes; at most ${longest} are allowed`);
    }
    return this.text(Number(length), "utf-8", what);
  }

  text(length: number, encoding: "utf-8" | "latin1", what = "text"): string {
    const at = this.#take(length, what);
    try {
      return decoders[encoding].decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw this.invalid(`${what} at byte ${at} is not UTF-8`);
    }
  }

  value(type: number, key: string, depth: number): GgufValue {
    if (type === stringType) return this.string(`the metadata ${key}`);
    if (type === arrayType) return this.list(key, depth);
    const at = this.#take(this.#sizeOf(type, key), `the metadata ${key}`);
    switch (type) {
      case 0:
        return this.#view.getUint8(at);
      case 1:
        return this.#view.getInt8(at);
      case 2:
        return this.#view.getUint16(at, true);
      case 3:
        return this.#view.getInt16(at, true);
      case 4:
        return this.#view.getUint32(at, true);
      case 5:
        return this.#view.getInt32(at, true);
      case 6:
        return shortest(this.#view.getFloat32(at, true));
      case 7: {
        const value = this.#view.getUint8(at);
        if (value > 1) throw this.invalid(`the metadata ${key} is a truth value of ${value}`);
        return value === 1;
      }
      case 10:
        return small(this.#view.getBigUint64(at, true));
      case 11:
        return small(this.#view.getBigInt64(at, true));
      default:
        return this.#view.getFloat64(at, true);
    }
  }

  list(key: string, depth: number): GgufList {
    if (depth >= maxDepth) throw this.invalid(`the metadata ${key} is a list in a list in a list`);
    const type = this.u32();
    if (type === stringType) {
      const count = this.count(`texts of ${key}`, 8);
      const texts: string[] = [];
      for (let i = 0; i < count; i++) texts.push(this.string(`the metadata ${key}`));
      return texts;
    }
    if (type === arrayType) {
      const count = this.count(`lists of ${key}`, 12);
      const lists: GgufList[] = [];
      for (let i = 0; i < count; i++) lists.push(this.list(key, depth + 1));
      return lists;
    }
    const size = this.#sizeOf(type, key);
    const count = this.count(`values of ${key}`, size);
    const at = this.#take(count * size, `the metadata ${key}`);
    // A copy, so that it is aligned (slice of a Buffer is none).
    const { buffer } = new Uint8Array(this.#bytes.subarray(at, at + count * size));
    return new numbers[type]!(buffer);
  }

  #sizeOf(type: number, key: string): number {
    const size = scalarBytes[type];
    if (!size) throw this.invalid(`the metadata ${key} has the unknown type ${type}`);
    return size;
  }

  invalid(message: string, help = "the file is damaged or is not a GGUF file"): FileError {
    return new FileError({
      code: "gguf-header",
      message: `the file cannot be read as GGUF: ${message}`,
      where: this.#where,
      help,
    });
  }

  truncated(message: string): FileError {
    return new FileError({
      code: "gguf-truncated",
      message,
      where: this.#where,
      help: "the file was probably not copied or downloaded to its end: fetch it again",
    });
  }
}

const decoders = {
  "utf-8": new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }),
  latin1: new TextDecoder("latin1"),
};

/** The shortest decimal that is this fp32: 1e-5 rather than 0.000009999999747378752. */
function shortest(value: number): number {
  for (let digits = 6; digits <= 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

function small(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && (value & (value - 1)) === 0;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
