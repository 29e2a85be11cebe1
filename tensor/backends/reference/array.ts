// Naive n-dimensional arrays for the oracle: allocate, walk, read with broadcasting.

import type { DType, HostArray, Spec } from "../../ir/graph.ts";
import { broadcastStrides, type Shape, sizeOf } from "../../shape.ts";

export interface NdArray extends Spec {
  readonly data: HostArray;
}

/** How f32 values are stored between ops; arithmetic inside an op is always float64. */
export type Precision = "f32" | "f64";

export type Alloc = (shape: Shape, dtype?: DType) => NdArray;

export function allocator(precision: Precision): Alloc {
  return (shape, dtype = "f32") => {
    const n = sizeOf(shape);
    if (dtype === "i32") return { shape, dtype, data: new Int32Array(n) };
    if (dtype === "bool") return { shape, dtype, data: new Uint8Array(n) };
    return { shape, dtype, data: precision === "f64" ? new Float64Array(n) : new Float32Array(n) };
  };
}

/** Calls `visit(flat, coordinates)` for each element in row-major order; coordinates are reused. */
export function walk(shape: Shape, visit: (flat: number, at: number[]) => void): void {
  const at = new Array<number>(shape.length).fill(0);
  const n = sizeOf(shape);
  for (let flat = 0; flat < n; flat++) {
    visit(flat, at);
    for (let i = shape.length - 1; i >= 0; i--) {
      if (++at[i]! < shape[i]!) break;
      at[i] = 0;
    }
  }
}

export function dot(at: readonly number[], strides: readonly number[]): number {
  let k = 0;
  for (let i = 0; i < at.length; i++) k += at[i]! * strides[i]!;
  return k;
}

/** Fills `out` with f of the operands' elements, each broadcast to out's shape. */
export function mapInto(out: NdArray, operands: readonly NdArray[], f: (...xs: number[]) => number): NdArray {
  const strides = operands.map((x) => broadcastStrides(x.shape, out.shape));
  walk(out.shape, (flat, at) => {
    out.data[flat] = f(...operands.map((x, i) => x.data[dot(at, strides[i]!)]!));
  });
  return out;
}

/** [rows, last] of a shape, for ops over the last axis. */
export function rowsOf(shape: Shape): [rows: number, width: number] {
  const width = shape.at(-1) ?? 1;
  return [sizeOf(shape) / width, width];
}
