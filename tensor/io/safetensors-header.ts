// The header of a safetensors file: checked completely before a byte of tensor data is allocated.
import { type Dtype, dtypeBytes, isDtype } from "./dtype.ts";
import { FileError } from "./error.ts";

/** As in the reference implementation. */
const maxHeaderBytes = 100_000_000;

export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Byte range in the file, absolute. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  /** In file order. */
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** The length of the JSON text that follows the first eight bytes. */
export function headerLength(first8: Uint8Array, fileBytes: number, where?: string): number {
  if (fileBytes < 8 || first8.byteLength < 8) {
    throw truncated(
      `the file has ${fileBytes} bytes; a safetensors file starts with an 8-byte length`,
      where,
    );
  }
  const length = new DataView(first8.buffer, first8.byteOffset, 8).getBigUint64(0, true);
  if (length > BigInt(maxHeaderBytes)) {
    throw invalid(`the header claims ${length} bytes; at most ${maxHeaderBytes} are allowed`, where);
  }
  if (8 + Number(length) > fileBytes) {
    throw truncated(`the header claims ${length} bytes but the file has only ${fileBytes}`, where);
  }
  return Number(length);
}

export function parseHeader(json: Uint8Array, fileBytes: number, where?: string): Header {
  let text: string;
  let parsed: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(json);
    if (!text.startsWith("{")) throw new SyntaxError("it does not start with {");
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalid(`the header is not JSON: ${(error as Error).message}`, where);
  }
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw invalid(`the header names ${JSON.stringify(repeated)} twice`, where);

  const { __metadata__: metadata = {}, ...entries } = parsed as Record<string, unknown>;
  if (!isStringMap(metadata)) throw invalid("__metadata__ must map names to texts", where);

  const base = 8 + json.byteLength;
  const tensors = Object.entries(entries).map(([name, entry]) => tensorInfo(name, entry, base, where));
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);

  let at = base;
  for (const tensor of tensors) {
    if (tensor.begin < at) throw invalid(`${tensor.name} overlaps the tensor before it`, where);
    if (tensor.begin > at) {
      throw invalid(`${tensor.begin - at} bytes before ${tensor.name} belong to no tensor`, where);
    }
    at = tensor.end;
  }
  if (at > fileBytes) {
    throw truncated(
      `the tensors end at byte ${at} but the file has only ${fileBytes}: ${at - fileBytes} bytes are missing`,
      where,
    );
  }
  if (at < fileBytes) throw invalid(`${fileBytes - at} bytes after the last tensor belong to none`, where);
  return { tensors, metadata };
}

function tensorInfo(name: string, entry: unknown, base: number, where?: string): TensorInfo {
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (!isDtype(dtype)) throw invalid(`${name} has the unknown dtype ${JSON.stringify(dtype)}`, where);
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw invalid(`${name} has the shape ${JSON.stringify(shape)}; a list of sizes is wanted`, where);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw invalid(`${name} has the offsets ${JSON.stringify(offsets)}; [begin, end] is wanted`, where);
  }
  const [begin, end] = offsets as [number, number];
  const values = shape.reduce((product: number, size: number) => product * size, 1);
  const bytes = values * dtypeBytes[dtype];
  if (!Number.isSafeInteger(bytes)) throw invalid(`${name} has the impossible shape [${shape}]`, where);
  if (end - begin !== bytes) {
    throw invalid(
      `${name} is ${dtype} [${shape}], which takes ${bytes} bytes, but its offsets span ${end - begin}`,
      where,
    );
  }
  return { name, dtype, shape, begin: base + begin, end: base + end };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isStringMap(value: unknown): value is Record<string, string> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((v) => typeof v === "string")
  );
}

/** The first key that an object of this (valid) JSON text has twice; JSON.parse would keep the last silently. */
function repeatedKey(json: string): string | undefined {
  const open: (Set<string> | undefined)[] = []; // one per bracket: the keys so far, undefined for lists
  for (const { 0: token, index } of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/gs)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (/^\s*:/.test(json.slice(index + token.length, index + token.length + 16))) {
      const keys = open.at(-1);
      const key = JSON.parse(token) as string;
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function truncated(message: string, where?: string): FileError {
  return new FileError({
    code: "safetensors-truncated",
    message,
    where,
    help: "the file was probably not copied or downloaded to its end: fetch it again",
  });
}

function invalid(message: string, where?: string): FileError {
  return new FileError({
    code: "safetensors-header",
    message,
    where,
    help: "the file is damaged or is not a safetensors file",
  });
}
