// Number formats of GGUF files: how many bytes a block takes, and how each becomes fp32 (ggml-quants.c).
import { halfBits } from "./dtype.ts";

/** Block after block from `bytes` into `out`. */
type Dequantise = (bytes: Uint8Array, out: Float32Array) => void;

export interface GgmlType {
  readonly name: string;
  /** Values per block. */
  readonly block: number;
  /** Bytes per block. */
  readonly bytes: number;
  /** Missing for formats that are known but not read. */
  readonly dequantise?: Dequantise;
}

/** By the number that a file has for it. */
export const ggmlTypes: ReadonlyMap<number, GgmlType> = new Map([
  [0, { name: "F32", block: 1, bytes: 4, dequantise: f32 }],
  [1, { name: "F16", block: 1, bytes: 2, dequantise: f16 }],
  [2, { name: "Q4_0", block: 32, bytes: 18, dequantise: q4_0 }],
  [3, { name: "Q4_1", block: 32, bytes: 20, dequantise: q4_1 }],
  [6, { name: "Q5_0", block: 32, bytes: 22, dequantise: q5_0 }],
  [7, { name: "Q5_1", block: 32, bytes: 24, dequantise: q5_1 }],
  [8, { name: "Q8_0", block: 32, bytes: 34, dequantise: q8_0 }],
  [9, { name: "Q8_1", block: 32, bytes: 36 }],
  [10, { name: "Q2_K", block: 256, bytes: 84, dequantise: q2_K }],
  [11, { name: "Q3_K", block: 256, bytes: 110, dequantise: q3_K }],
  [12, { name: "Q4_K", block: 256, bytes: 144, dequantise: q4_K }],
  [13, { name: "Q5_K", block: 256, bytes: 176, dequantise: q5_K }],
  [14, { name: "Q6_K", block: 256, bytes: 210, dequantise: q6_K }],
  [15, { name: "Q8_K", block: 256, bytes: 292 }],
  [16, { name: "IQ2_XXS", block: 256, bytes: 66 }],
  [17, { name: "IQ2_XS", block: 256, bytes: 74 }],
  [18, { name: "IQ3_XXS", block: 256, bytes: 98 }],
  [19, { name: "IQ1_S", block: 256, bytes: 50 }],
  [20, { name: "IQ4_NL", block: 32, bytes: 18, dequantise: iq4_NL }],
  [21, { name: "IQ3_S", block: 256, bytes: 110 }],
  [22, { name: "IQ2_S", block: 256, bytes: 82 }],
  [23, { name: "IQ4_XS", block: 256, bytes: 136, dequantise: iq4_XS }],
  [24, { name: "I8", block: 1, bytes: 1 }],
  [25, { name: "I16", block: 1, bytes: 2 }],
  [26, { name: "I32", block: 1, bytes: 4 }],
  [27, { name: "I64", block: 1, bytes: 8 }],
  [28, { name: "F64", block: 1, bytes: 8 }],
  [29, { name: "IQ1_M", block: 256, bytes: 56 }],
  [30, { name: "BF16", block: 1, bytes: 2, dequantise: bf16 }],
  [34, { name: "TQ1_0", block: 256, bytes: 54 }],
  [35, { name: "TQ2_0", block: 256, bytes: 66 }],
  [39, { name: "MXFP4", block: 32, bytes: 17 }],
]);

export const readableTypes: readonly string[] = [...ggmlTypes.values()]
  .filter((type) => type.dequantise)
  .map(({ name }) => name);

// Every product below fits into 53 bits, so that the one rounding is that of the store into fp32, as in ggml.

function f32(bytes: Uint8Array, out: Float32Array): void {
  new Uint8Array(out.buffer, out.byteOffset, out.byteLength).set(bytes);
}

function f16(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let i = 0; i < out.length; i++) out[i] = half[bytes[2 * i]! | (bytes[2 * i + 1]! << 8)]!;
}

function bf16(bytes: Uint8Array, out: Float32Array): void {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; i++) bits[i] = (bytes[2 * i]! << 16) | (bytes[2 * i + 1]! << 24);
}

/** d fp16; 16 bytes: low halves are values 0..15, high halves 16..31. */
function q4_0(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 18, to += 32) {
    const d = half[u16(bytes, at)]!;
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 2 + i]!;
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }
}

/** d, m fp16; then as Q4_0 without the offset. */
function q4_1(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 20, to += 32) {
    const d = half[u16(bytes, at)]!;
    const m = half[u16(bytes, at + 2)]!;
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 4 + i]!;
      out[to + i] = d * (q & 15) + m;
      out[to + 16 + i] = d * (q >> 4) + m;
    }
  }
}

/** d fp16; 32 fifth bits; 16 bytes as in Q4_0. */
function q5_0(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 22, to += 32) {
    const d = half[u16(bytes, at)]!;
    const high = u32(bytes, at + 2);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 6 + i]!;
      out[to + i] = d * (((q & 15) | (((high >>> i) & 1) << 4)) - 16);
      out[to + 16 + i] = d * (((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) - 16);
    }
  }
}

function q5_1(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 24, to += 32) {
    const d = half[u16(bytes, at)]!;
    const m = half[u16(bytes, at + 2)]!;
    const high = u32(bytes, at + 4);
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 8 + i]!;
      out[to + i] = d * ((q & 15) | (((high >>> i) & 1) << 4)) + m;
      out[to + 16 + i] = d * ((q >> 4) | (((high >>> (i + 16)) & 1) << 4)) + m;
    }
  }
}

/** d fp16; 32 signed bytes. */
function q8_0(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 34, to += 32) {
    const d = half[u16(bytes, at)]!;
    for (let i = 0; i < 32; i++) out[to + i] = d * i8(bytes, at + 2 + i);
  }
}

/** 16 bytes of a scale and a minimum for 16 values each; 64 bytes, four values in a byte; d, dmin fp16. */
function q2_K(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 84, to += 256) {
    const d = half[u16(bytes, at + 80)]!;
    const dmin = half[u16(bytes, at + 82)]!;
    for (let i = 0; i < 256; i++) {
      const scale = bytes[at + (i >> 4)]!;
      const q = (bytes[at + 16 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
      out[to + i] = d * (scale & 15) * q - dmin * (scale >> 4);
    }
  }
}

/** 32 bytes of third bits (unset means 4 less); 64 bytes as in Q2_K; 12 bytes of 16 6-bit scales; d fp16. */
function q3_K(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 110, to += 256) {
    const d = half[u16(bytes, at + 108)]!;
    for (let i = 0; i < 256; i++) {
      const part = i >> 4;
      const low = (bytes[at + 96 + (part & 7)]! >> (part & 8 ? 4 : 0)) & 15;
      const scale = low | (((bytes[at + 104 + (part & 3)]! >> (2 * (part >> 2))) & 3) << 4);
      const q = (bytes[at + 32 + 32 * (i >> 7) + (i & 31)]! >> (2 * ((i >> 5) & 3))) & 3;
      const third = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
      out[to + i] = d * (scale - 32) * (third ? q : q - 4);
    }
  }
}

/** What the sixteen codes of the IQ4 formats stand for. */
const uneven = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

/** As Q4_0 with uneven steps. */
function iq4_NL(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 18, to += 32) {
    const d = half[u16(bytes, at)]!;
    for (let i = 0; i < 16; i++) {
      const q = bytes[at + 2 + i]!;
      out[to + i] = d * uneven[q & 15]!;
      out[to + 16 + i] = d * uneven[q >> 4]!;
    }
  }
}

/** d fp16; eight 6-bit scales, upper bits first; 128 bytes, 32 values per 16 bytes. */
function iq4_XS(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 136, to += 256) {
    const d = half[u16(bytes, at)]!;
    const high = u16(bytes, at + 2);
    for (let part = 0; part < 8; part++) {
      const low = (bytes[at + 4 + (part >> 1)]! >> (part & 1 ? 4 : 0)) & 15;
      const scale = d * ((low | (((high >> (2 * part)) & 3) << 4)) - 32);
      for (let i = 0; i < 16; i++) {
        const q = bytes[at + 8 + 16 * part + i]!;
        out[to + 32 * part + i] = scale * uneven[q & 15]!;
        out[to + 32 * part + 16 + i] = scale * uneven[q >> 4]!;
      }
    }
  }
}

/** d, dmin fp16; 12 bytes of 6-bit scales and minima; 128 bytes, 64 values per 32 bytes. */
function q4_K(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 144, to += 256) {
    const d = half[u16(bytes, at)]!;
    const dmin = half[u16(bytes, at + 2)]!;
    for (let part = 0; part < 8; part++) {
      const scale = d * scaleOf(bytes, at + 4, part);
      const minimum = dmin * minimumOf(bytes, at + 4, part);
      const from = at + 16 + 32 * (part >> 1);
      const shift = part & 1 ? 4 : 0;
      for (let i = 0; i < 32; i++) {
        out[to + 32 * part + i] = scale * ((bytes[from + i]! >> shift) & 15) - minimum;
      }
    }
  }
}

/** As Q4_K with 32 bytes of fifth bits before the rest: bit `part` of byte i. */
function q5_K(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 176, to += 256) {
    const d = half[u16(bytes, at)]!;
    const dmin = half[u16(bytes, at + 2)]!;
    for (let part = 0; part < 8; part++) {
      const scale = d * scaleOf(bytes, at + 4, part);
      const minimum = dmin * minimumOf(bytes, at + 4, part);
      const from = at + 48 + 32 * (part >> 1);
      const shift = part & 1 ? 4 : 0;
      for (let i = 0; i < 32; i++) {
        const q = ((bytes[from + i]! >> shift) & 15) | (((bytes[at + 16 + i]! >> part) & 1) << 4);
        out[to + 32 * part + i] = scale * q - minimum;
      }
    }
  }
}

/** 128 bytes of low halves, 64 of upper two bits, 16 signed scales, d fp16; a scale is for 16 values. */
function q6_K(bytes: Uint8Array, out: Float32Array): void {
  const half = halves();
  for (let at = 0, to = 0; to < out.length; at += 210, to += 256) {
    const d = half[u16(bytes, at + 208)]!;
    for (let i = 0; i < 256; i++) {
      const side = i >> 7; // of two halves of 128 values
      const row = (i >> 5) & 3; // of four rows of 32
      const low = bytes[at + 64 * side + (i & 31) + (row & 1 ? 32 : 0)]!;
      const high = bytes[at + 128 + 32 * side + (i & 31)]!;
      const q = ((row & 2 ? low >> 4 : low) & 15) | (((high >> (2 * row)) & 3) << 4);
      out[to + i] = d * i8(bytes, at + 192 + (i >> 4)) * (q - 32);
    }
  }
}

/** Scales 0..3 are the low six bits of bytes 0..3; of 4..7 the upper two bits are kept there too. */
function scaleOf(bytes: Uint8Array, at: number, part: number): number {
  if (part < 4) return bytes[at + part]! & 63;
  return (bytes[at + part + 4]! & 15) | ((bytes[at + part - 4]! >> 6) << 4);
}

function minimumOf(bytes: Uint8Array, at: number, part: number): number {
  if (part < 4) return bytes[at + part + 4]! & 63;
  return (bytes[at + part + 4]! >> 4) | ((bytes[at + part]! >> 6) << 4);
}

function u16(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}
function u32(bytes: Uint8Array, at: number): number {
  return u16(bytes, at) | (u16(bytes, at + 2) << 16);
}
function i8(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 24) >> 24;
}

let table: Float32Array | undefined;
/** Every fp16 as fp32. */
function halves(): Float32Array {
  if (!table) {
    const bits = new Uint32Array(65_536);
    for (let h = 0; h < bits.length; h++) bits[h] = halfBits(h);
    table = new Float32Array(bits.buffer);
  }
  return table;
}
