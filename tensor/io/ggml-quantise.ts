// fp32 to the number formats that are written: F32, F16 and Q8_0, with the bytes of ggml's own quantisers.
import { ggmlTypes } from "./ggml-types.ts";

export const writtenTypes = ["F32", "F16", "Q8_0"] as const;
export type WrittenType = (typeof writtenTypes)[number];

/** Its number in a file. */
export function numberOf(type: WrittenType): number {
  for (const [number, { name }] of ggmlTypes) if (name === type) return number;
  throw new Error(`no such type: ${type}`);
}

export function quantise(data: Float32Array, type: WrittenType): Uint8Array {
  switch (type) {
    case "F32":
      return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    case "F16": {
      const half = new Uint16Array(data.length);
      const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
      for (let i = 0; i < half.length; i++) half[i] = toHalf(bits[i]!);
      return new Uint8Array(half.buffer);
    }
    case "Q8_0":
      return q8_0(data);
  }
}

/** Per 32 values: the largest magnitude becomes 127 (quantize_row_q8_0_ref). */
function q8_0(data: Float32Array): Uint8Array {
  const out = new Uint8Array((data.length / 32) * 34);
  const scale = new Float32Array(1);
  const bits = new Uint32Array(scale.buffer);
  for (let from = 0, to = 0; from < data.length; from += 32, to += 34) {
    let largest = 0;
    for (let i = 0; i < 32; i++) largest = Math.max(largest, Math.abs(data[from + i]!));
    const d = Math.fround(largest / 127);
    const inverse = d === 0 ? 0 : Math.fround(1 / d);
    scale[0] = d;
    const half = toHalf(bits[0]!);
    out[to] = half;
    out[to + 1] = half >> 8;
    for (let i = 0; i < 32; i++) out[to + 2 + i] = roundAway(Math.fround(data[from + i]! * inverse));
  }
  return out;
}

/** C's roundf: halves away from zero. */
function roundAway(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}

/** The fp16 nearest to an fp32 bit pattern, ties to even. */
function toHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00; // NaN
  if (magnitude >= 0x477ff000) return sign | 0x7c00; // from 65520 on: infinity
  if (magnitude >= 0x38800000) {
    // Normal: another exponent, 13 bits less.
    const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
    return sign | ((rounded - 0x38000000) >>> 13);
  }
  if (magnitude < 0x33000000) return sign; // less than half of the smallest
  const shift = 126 - (magnitude >>> 23);
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const kept = fraction >>> shift;
  const lost = fraction & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return sign | (kept + (lost > tie || (lost === tie && (kept & 1) === 1) ? 1 : 0));
}
