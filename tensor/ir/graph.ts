// The vocabulary of the graph: dtypes, ops with their attributes, nodes and values. Immutable plain data.

import type { Shape } from "../shape.ts";

export type DType = "f32" | "i32" | "bool";
export type HostArray = Float32Array | Float64Array | Int32Array | Uint8Array;

type None = Record<never, never>;

/** Every op and its attributes. A backend is a table over exactly these names. */
export interface OpAttrs {
  // sources
  input: { name: string; shape: Shape; dtype: DType };
  constant: { data: readonly number[] | Float32Array | Int32Array; shape: Shape; dtype: DType };
  // elementwise, one operand
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  reciprocal: None;
  abs: None;
  sign: None;
  sigmoid: None;
  tanh: None;
  erf: None;
  relu: None;
  softplus: None;
  silu: None;
  cast: { to: DType };
  stopGradient: None;
  /** Identity that no pass looks through: what is after it is computed anew, not shared. */
  barrier: None;
  // elementwise, broadcasting
  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  minimum: None;
  equal: None;
  greater: None;
  greaterEqual: None;
  select: None;
  // reductions; axes sorted, dimensions kept as 1
  sum: { axes: readonly number[] };
  max: { axes: readonly number[] };
  argmax: None;
  // layout
  reshape: { shape: Shape };
  transpose: { perm: readonly number[] };
  expand: { shape: Shape };
  slice: { axis: number; start: number; end: number };
  pad: { axis: number; before: number; after: number };
  concat: { axis: number };
  split: { axis: number; sizes: readonly number[] };
  // indexing, indices i32
  /** `distinct`: no id comes twice. */
  gatherRows: { distinct?: true };
  scatterRows: { rows: number };
  takeAlong: None;
  addAlong: None;
  // linear algebra
  matmul: { transA: boolean; transB: boolean; alpha: number };
  // fused, each with a short gradient of its own
  softmax: None;
  logSoftmax: None;
  tokenLogprob: None;
  rmsnorm: { eps: number };
  layernorm: { eps: number };
  rope: { inverse: boolean };
  attention: { scale: number };
  /** A token sees the last `window` ones, itself included; without it all before. */
  cachedAttention: { scale: number; window?: number };
  swiglu: None;
  /** "erf" is x·Φ(x); "tanh" its approximation, which GPT-2 and T5 v1.1 were trained with. */
  gelu: { form: "erf" | "tanh" };
}

export type OpName = keyof OpAttrs;

export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** One output of a node. */
export interface Value extends Spec {
  readonly node: Node;
  readonly index: number;
}

export interface NodeOf<K extends OpName> {
  /** Grows in order of creation within one builder, so sorting by id is a topological order. */
  readonly id: number;
  readonly op: K;
  readonly attrs: OpAttrs[K];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

export type Node = { [K in OpName]: NodeOf<K> }[OpName];

/** A finished computation: names for what goes in and for what comes out. */
export interface Graph {
  readonly inputs: readonly NodeOf<"input">[];
  readonly outputs: Readonly<Record<string, Value>>;
}

/** Nodes that the outputs need, operands before users. */
export function reachable(outputs: Iterable<Value>): Node[] {
  const seen = new Set<Node>();
  const stack: Node[] = [...outputs].map((v) => v.node);
  while (stack.length > 0) {
    const node = stack.pop()!;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const input of node.inputs) stack.push(input.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
