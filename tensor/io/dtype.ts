// Number formats of safetensors files, and how each becomes fp32.
import { FileError } from "./error.ts";

/** Bytes per value. */
export const dtypeBytes = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E5M2: 1,
  F8_E4M3: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
} as const;

export type Dtype = keyof typeof dtypeBytes;

export function isDtype(name: unknown): name is Dtype {
  return typeof name === "string" && Object.hasOwn(dtypeBytes, name);
}

/** Little-endian bytes of `dtype` as fp32. Integers must be exact in fp32. */
export function toFloat32(bytes: Uint8Array, dtype: Dtype, name: string): Float32Array<ArrayBuffer> {
  const count = bytes.byteLength / dtypeBytes[dtype];
  const out = new Float32Array(count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (dtype) {
    case "F32":
      new Uint8Array(out.buffer).set(bytes);
      return out;
    case "BF16": {
      const bits = new Uint32Array(out.buffer);
      for (let i = 0; i < count; i++) bits[i] = view.getUint16(2 * i, true) << 16;
      return out;
    }
    case "F16": {
      const bits = new Uint32Array(out.buffer);
      for (let i = 0; i < count; i++) bits[i] = halfBits(view.getUint16(2 * i, true));
      return out;
    }
    case "F64":
      for (let i = 0; i < count; i++) out[i] = view.getFloat64(8 * i, true);
      return out;
    case "F8_E5M2":
    case "F8_E4M3":
      throw new FileError({
        code: "safetensors-dtype",
        message: `${name} is stored as ${dtype}, an 8-bit float that is not read`,
        help: "convert the model to BF16, F16 or F32 first",
      });
    default: {
      const read = integerReader(view, dtype);
      for (let i = 0; i < count; i++) {
        const value = read(i);
        const exact = typeof value === "bigint" ? BigInt(Math.fround(Number(value))) : Math.fround(value);
        if (exact !== value) {
          throw new FileError({
            code: "safetensors-dtype",
            message: `${name}[${i}] is ${value}, which fp32 cannot hold exactly`,
            help: "read it with raw() instead",
          });
        }
        out[i] = Number(value);
      }
      return out;
    }
  }
}

function integerReader(view: DataView, dtype: Dtype): (i: number) => number | bigint {
  switch (dtype) {
    case "I8":
      return (i) => view.getInt8(i);
    case "I16":
      return (i) => view.getInt16(2 * i, true);
    case "U16":
      return (i) => view.getUint16(2 * i, true);
    case "I32":
      return (i) => view.getInt32(4 * i, true);
    case "U32":
      return (i) => view.getUint32(4 * i, true);
    case "I64":
      return (i) => view.getBigInt64(8 * i, true);
    case "U64":
      return (i) => view.getBigUint64(8 * i, true);
    default:
      return (i) => view.getUint8(i);
  }
}

/** The fp32 bit pattern of an fp16 one: sign 1, exponent 5 (bias 15), fraction 10. */
export function halfBits(h: number): number {
  const sign = (h & 0x8000) << 16;
  const exponent = (h >>> 10) & 0x1f;
  let fraction = h & 0x3ff;
  if (exponent === 0x1f) return (sign | 0x7f800000 | (fraction << 13)) >>> 0; // infinity, NaN
  if (exponent !== 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0;
  if (fraction === 0) return sign >>> 0;
  // Subnormal: shift the leading one out; fp32 has room for its exponent.
  let shift = 0;
  while ((fraction & 0x400) === 0) {
    fraction <<= 1;
    shift++;
  }
  return (sign | ((113 - shift) << 23) | ((fraction & 0x3ff) << 13)) >>> 0;
}
