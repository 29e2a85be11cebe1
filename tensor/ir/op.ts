// What one op must declare: the shape rule and the vector-Jacobian product.

import { check } from "../error.ts";
import { type Shape, showShape } from "../shape.ts";
import type { Builder } from "./builder.ts";
import type { DType, NodeOf, OpAttrs, OpName, Spec, Value } from "./graph.ts";

export interface OpDef<K extends OpName> {
  /** Output shapes and dtypes; throws TensorError("shape") when the operands do not fit. */
  infer(inputs: readonly Value[], attrs: OpAttrs[K]): Spec[];
  /** Gradients for the inputs given gradients `g` of the outputs; undefined means zero on both sides. */
  readonly vjp: Vjp<K>;
}

export type Vjp<K extends OpName> = (
  b: Builder,
  node: NodeOf<K>,
  g: readonly (Value | undefined)[],
) => readonly (Value | undefined)[];

export type OpDefs<K extends OpName> = { readonly [P in K]: OpDef<P> };

export function want(v: Value, dtype: DType, what: string): void {
  check(v.dtype === dtype, "shape", () => `${what}: wants ${dtype}, got ${v.dtype} ${showShape(v.shape)}`);
}

export function wantShape(v: Value, shape: Shape, what: string): void {
  check(
    v.shape.length === shape.length && v.shape.every((d, i) => d === shape[i]),
    "shape",
    () => `${what}: wants ${showShape(shape)}, got ${showShape(v.shape)}`,
  );
}

export const f32 = (shape: Shape): Spec => ({ shape, dtype: "f32" });
