// Arithmetic on static shapes: sizes, strides and numpy-style broadcasting.

import { TensorError } from "./error.ts";

export type Shape = readonly number[];

export function sizeOf(shape: Shape): number {
  return shape.reduce((n, d) => n * d, 1);
}

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((d, i) => d === b[i]);
}

export function showShape(shape: Shape): string {
  return `[${shape.join(",")}]`;
}

/** The shape that a and b broadcast to, or an error that names both. */
export function broadcastShapes(a: Shape, b: Shape, what: string): Shape {
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const x = a[a.length - rank + i] ?? 1;
    const y = b[b.length - rank + i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new TensorError("shape", `${what}: ${showShape(a)} and ${showShape(b)} do not broadcast`);
    }
    out[i] = x === 1 ? y : x;
  }
  return out;
}

/** Strides for reading `shape` as if it had been broadcast to `out`: 0 along broadcast dimensions. */
export function broadcastStrides(shape: Shape, out: Shape): number[] {
  const strides = stridesOf(shape);
  const shift = out.length - shape.length;
  return out.map((_, i) => (i < shift || shape[i - shift] === 1 ? 0 : strides[i - shift]!));
}

/** Axis as a non-negative index; -1 is the last. */
export function axisOf(axis: number, rank: number, what: string): number {
  const a = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(a) || a < 0 || a >= rank) {
    throw new TensorError("shape", `${what}: axis ${axis} is outside rank ${rank}`);
  }
  return a;
}
