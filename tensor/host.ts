// Tensors as callers hold them: plain typed arrays with a shape, by name.

import { TensorError } from "./error.ts";
import type { DType } from "./ir/graph.ts";
import { type Shape, showShape, sizeOf } from "./shape.ts";

export interface HostTensor<A extends Float32Array | Int32Array = Float32Array | Int32Array> {
  readonly shape: Shape;
  readonly data: A;
}

/** Weights by their Hugging Face names. */
export type Params = Record<string, HostTensor<Float32Array>>;

/** Weights, or where to find the present ones: a trainer's move after every step. */
export type ParamSource = Params | (() => Params);

export const paramsOf = (source: ParamSource): Params => (typeof source === "function" ? source() : source);

export function tensor<A extends Float32Array | Int32Array>(data: A, shape: Shape): HostTensor<A> {
  if (data.length !== sizeOf(shape)) {
    throw new TensorError("shape", `${data.length} elements do not fill the shape ${showShape(shape)}`);
  }
  return { shape, data };
}

/** Weights of these shapes without their numbers: enough to build graphs with. */
export const hollow = (shapes: Readonly<Record<string, Shape>>): Params =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, { shape, data: nothing }]));
const nothing = new Float32Array(0);

/** Weights from which on what a graph keeps while it runs takes gigabytes. */
const LARGE = 32e6;
export const isLarge = (params: Params): boolean =>
  Object.values(params).reduce((n, { shape }) => n + sizeOf(shape), 0) >= LARGE;

export const dtypeOf = (t: HostTensor): DType => (t.data instanceof Int32Array ? "i32" : "f32");

/** Throws unless `params` holds every name of `shapes` with that shape. Names beyond are allowed (heads). */
export function checkParams(params: Params, shapes: Readonly<Record<string, Shape>>): void {
  const missing = Object.keys(shapes).filter((name) => !(name in params));
  if (missing.length > 0) {
    const more = missing.length > 3 ? ` and ${missing.length - 3} more` : "";
    throw new TensorError(
      "missing",
      `the weights lack ${missing.slice(0, 3).join(", ")}${more}`,
      "check that the config belongs to these weights (number of layers, tied or untied head)",
    );
  }
  for (const [name, shape] of Object.entries(shapes)) {
    const got = params[name]!.shape;
    if (got.join() !== shape.join()) {
      throw new TensorError("shape", `${name} is ${showShape(got)}, the config says ${showShape(shape)}`);
    }
  }
}
