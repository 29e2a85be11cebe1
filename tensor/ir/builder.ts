// Builds graphs: one method per op, with scalars, negative axes and broadcasting made convenient.

import { TensorError } from "../error.ts";
import { axisOf, type Shape, sameShape, sizeOf } from "../shape.ts";
import type { DType, Graph, Node, NodeOf, OpAttrs, OpName, Value } from "./graph.ts";
import type { OpDef } from "./op.ts";
import { ops } from "./ops/index.ts";

/** A number stands for a scalar constant. */
export type Operand = Value | number;

/** May return a replacement for the node about to be made, or undefined to let it be made. */
export type Intercept = (
  b: Builder,
  op: OpName,
  inputs: readonly Value[],
  attrs: object,
) => readonly Value[] | undefined;

export class Builder {
  readonly inputs: NodeOf<"input">[] = [];
  readonly #intercept: Intercept | undefined;
  #next = 0;

  constructor(intercept?: Intercept) {
    this.#intercept = intercept;
  }

  emit<K extends OpName>(op: K, inputs: readonly Value[], attrs: OpAttrs[K]): readonly Value[] {
    return this.#intercept?.(this, op, inputs, attrs) ?? this.make(op, inputs, attrs).outputs;
  }

  /** Makes the node as it is, past the intercept. */
  make<K extends OpName>(op: K, inputs: readonly Value[], attrs: OpAttrs[K]): NodeOf<K> {
    const specs = (ops[op] as unknown as OpDef<K>).infer(inputs, attrs);
    const outputs: Value[] = [];
    const node: NodeOf<K> = { id: this.#next++, op, attrs, inputs, outputs };
    specs.forEach((spec, index) => {
      outputs.push({ shape: spec.shape, dtype: spec.dtype, node: node as unknown as Node, index });
    });
    return node;
  }

  #one<K extends OpName>(op: K, inputs: readonly Operand[], attrs: OpAttrs[K]): Value {
    return this.emit(
      op,
      inputs.map((x) => this.#value(x)),
      attrs,
    )[0]!;
  }

  #value(x: Operand): Value {
    return typeof x === "number" ? this.scalar(x) : x;
  }

  // Sources

  input(name: string, shape: Shape, dtype: DType = "f32"): Value {
    if (this.inputs.some((node) => node.attrs.name === name)) {
      throw new TensorError("argument", `two inputs are named "${name}"`);
    }
    const node = this.make("input", [], { name, shape, dtype });
    this.inputs.push(node);
    return node.outputs[0]!;
  }

  constant(data: readonly number[] | Float32Array, shape: Shape): Value {
    if (data.length !== sizeOf(shape)) {
      throw new TensorError("shape", `constant: ${data.length} numbers for shape [${shape.join(",")}]`);
    }
    return this.#one("constant", [], { data, shape, dtype: "f32" });
  }

  integers(data: readonly number[] | Int32Array, shape: Shape): Value {
    return this.#one("constant", [], { data, shape, dtype: "i32" });
  }

  scalar(x: number): Value {
    return this.constant([x], []);
  }

  // Elementwise

  neg = (x: Operand) => this.#one("neg", [x], {});
  exp = (x: Operand) => this.#one("exp", [x], {});
  log = (x: Operand) => this.#one("log", [x], {});
  sqrt = (x: Operand) => this.#one("sqrt", [x], {});
  reciprocal = (x: Operand) => this.#one("reciprocal", [x], {});
  abs = (x: Operand) => this.#one("abs", [x], {});
  sign = (x: Operand) => this.#one("sign", [x], {});
  sigmoid = (x: Operand) => this.#one("sigmoid", [x], {});
  tanh = (x: Operand) => this.#one("tanh", [x], {});
  erf = (x: Operand) => this.#one("erf", [x], {});
  relu = (x: Operand) => this.#one("relu", [x], {});
  /** log(1 + eˣ) without overflow. */
  softplus = (x: Operand) => this.#one("softplus", [x], {});
  silu = (x: Operand) => this.#one("silu", [x], {});
  /** log σ(x) = -softplus(-x). */
  logSigmoid = (x: Operand) => this.neg(this.softplus(this.neg(x)));
  square = (x: Value) => this.mul(x, x);
  cast = (x: Operand, to: DType) => this.#one("cast", [x], { to });
  stopGradient = (x: Operand) => this.#one("stopGradient", [x], {});
  barrier = (x: Operand) => this.#one("barrier", [x], {});
  add = (x: Operand, y: Operand) => this.#one("add", [x, y], {});
  sub = (x: Operand, y: Operand) => this.#one("sub", [x, y], {});
  mul = (x: Operand, y: Operand) => this.#one("mul", [x, y], {});
  div = (x: Operand, y: Operand) => this.#one("div", [x, y], {});
  maximum = (x: Operand, y: Operand) => this.#one("maximum", [x, y], {});
  minimum = (x: Operand, y: Operand) => this.#one("minimum", [x, y], {});
  clamp = (x: Operand, low: Operand, high: Operand) => this.minimum(this.maximum(x, low), high);
  equal = (x: Operand, y: Operand) => this.#one("equal", [x, y], {});
  greater = (x: Operand, y: Operand) => this.#one("greater", [x, y], {});
  greaterEqual = (x: Operand, y: Operand) => this.#one("greaterEqual", [x, y], {});
  /** where condition then x else y. */
  select = (condition: Value, x: Operand, y: Operand) => this.#one("select", [condition, x, y], {});

  // Reductions; reduced dimensions stay as 1. Without axes, everything is reduced to a scalar [].

  sum(x: Value, axes?: readonly number[]): Value {
    const all = this.#one("sum", [x], { axes: this.#axes(x, axes, "sum") });
    return axes === undefined ? this.reshape(all, []) : all;
  }

  mean(x: Value, axes?: readonly number[]): Value {
    const total = this.sum(x, axes);
    return this.mul(total, sizeOf(total.shape) / sizeOf(x.shape));
  }

  max(x: Value, axes?: readonly number[]): Value {
    const all = this.#one("max", [x], { axes: this.#axes(x, axes, "max") });
    return axes === undefined ? this.reshape(all, []) : all;
  }

  argmax = (x: Value) => this.#one("argmax", [x], {});

  #axes(x: Value, axes: readonly number[] | undefined, what: string): number[] {
    if (axes === undefined) return x.shape.map((_, i) => i);
    return axes.map((a) => axisOf(a, x.shape.length, what)).sort((p, q) => p - q);
  }

  // Layout

  /** One dimension may be -1. */
  reshape(x: Value, shape: Shape): Value {
    const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
    const full = shape.map((d) => (d === -1 ? sizeOf(x.shape) / known : d));
    return sameShape(x.shape, full) ? x : this.#one("reshape", [x], { shape: full });
  }

  transpose(x: Value, perm: readonly number[]): Value {
    return this.#one("transpose", [x], { perm });
  }

  expand(x: Value, shape: Shape): Value {
    return sameShape(x.shape, shape) ? x : this.#one("expand", [x], { shape });
  }

  slice(x: Value, axis: number, start: number, end: number): Value {
    return this.#one("slice", [x], { axis: axisOf(axis, x.shape.length, "slice"), start, end });
  }

  pad(x: Value, axis: number, before: number, after: number): Value {
    return this.#one("pad", [x], { axis: axisOf(axis, x.shape.length, "pad"), before, after });
  }

  concat(parts: readonly Value[], axis: number): Value {
    return this.#one("concat", parts, { axis: axisOf(axis, parts[0]!.shape.length, "concat") });
  }

  split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
    return this.emit("split", [x], { axis: axisOf(axis, x.shape.length, "split"), sizes });
  }

  // Indexing

  gatherRows = (table: Value, ids: Value) => this.#one("gatherRows", [table, ids], {});
  /** gatherRows of ids no two of which are the same, which makes its gradient cheap. */
  distinctRows = (table: Value, ids: Value) => this.#one("gatherRows", [table, ids], { distinct: true });
  scatterRows = (updates: Value, ids: Value, rows: number) =>
    this.#one("scatterRows", [updates, ids], { rows });
  takeAlong = (x: Value, ids: Value) => this.#one("takeAlong", [x, ids], {});
  addAlong = (base: Value, ids: Value, updates: Value) => this.#one("addAlong", [base, ids, updates], {});

  // Linear algebra and fused ops

  matmul(a: Value, b: Value, options: Partial<OpAttrs["matmul"]> = {}): Value {
    const { transA = false, transB = false, alpha = 1 } = options;
    return this.#one("matmul", [a, b], { transA, transB, alpha });
  }

  /** x [N,in] times weight [out,in]ᵀ → [N,out]. */
  linear = (x: Value, weight: Value) => this.matmul(x, weight, { transB: true });
  softmax = (x: Value) => this.#one("softmax", [x], {});
  logSoftmax = (x: Value) => this.#one("logSoftmax", [x], {});

  tokenLogprob(logits: Value, ids: Value): { picked: Value; all: Value } {
    const [picked, all] = this.emit("tokenLogprob", [logits, ids], {});
    return { picked: picked!, all: all! };
  }

  rmsnorm = (x: Value, weight: Value, eps: number) => this.#one("rmsnorm", [x, weight], { eps });

  layernorm(x: Value, weight: Value, bias: Value, eps: number): Value {
    return this.#one("layernorm", [x, weight, bias], { eps });
  }

  rope(x: Value, positions: Value, cos: Value, sin: Value, inverse = false): Value {
    return this.#one("rope", [x, positions, cos, sin], { inverse });
  }

  attention(q: Value, k: Value, v: Value, bias: Value, scale: number): Value {
    return this.#one("attention", [q, k, v, bias], { scale });
  }

  /** Attention of one token per row over a cache, and the cache with it; see the op. */
  cachedAttention(
    { q, k, v }: { q: Value; k: Value; v: Value },
    { keys, values }: { keys: Value; values: Value },
    positions: Value,
    { scale, window, bias }: { scale: number; window?: number | undefined; bias?: Value },
  ): { out: Value; keys: Value; values: Value } {
    const operands = [q, k, v, keys, values, positions, ...(bias ? [bias] : [])];
    const attrs = { scale, ...(window !== undefined && { window }) };
    const [out, nextKeys, nextValues] = this.emit("cachedAttention", operands, attrs);
    return { out: out!, keys: nextKeys!, values: nextValues! };
  }

  swiglu = (gate: Value, up: Value) => this.#one("swiglu", [gate, up], {});
  gelu = (x: Value, form: "erf" | "tanh") => this.#one("gelu", [x], { form });

  finish(outputs: Readonly<Record<string, Value>>): Graph {
    return { inputs: [...this.inputs], outputs };
  }
}
