// Lowers the graph to ONNX nodes that are fast and exact on onnxruntime's CPU provider.

import type { DType, Graph, Node, NodeOf, OpName, Value } from "../../ir/graph.ts";
import { reachable } from "../../ir/graph.ts";
import { sizeOf } from "../../shape.ts";
import type { Attribute, OnnxInitializer, OnnxModel, OnnxNode } from "./encode.ts";

type Attributes = Readonly<Record<string, Attribute>>;

interface Lowering {
  /** Name of an operand. */
  in(v: Value): string;
  /** Name of an output of the node being lowered. */
  out(index: number): string;
  /** Emits an ONNX node with one output; `to` names it, otherwise a fresh name is made. */
  node(op: string, inputs: readonly string[], attributes?: Attributes, to?: string): string;
  /** Emits an ONNX node with the given output names ("" is an omitted one). */
  nodes(op: string, inputs: readonly string[], outputs: readonly string[], attributes?: Attributes): void;
  /** An initialiser, shared by content when small. */
  constant(data: OnnxInitializer["data"], shape: readonly number[]): string;
  int64(...values: number[]): string;
  /** Whether anything reads this output. */
  used(v: Value): boolean;
}

type Lower<K extends OpName> = (l: Lowering, node: NodeOf<K>) => void;

const direct =
  (op: string): Lower<OpName> =>
  (l, node) => {
    l.node(op, node.inputs.map(l.in), {}, l.out(0));
  };

const onnxType: Record<DType, number> = { f32: 1, i32: 6, bool: 9 };
const int = (value: number) => ({ int: value });
const lastAxis = { axis: int(-1) };

/** Ops that live in onnxruntime's own domain. */
const microsoft = new Set(["FusedMatMul", "QuickGelu", "RotaryEmbedding"]);

const lowerings: { readonly [K in OpName]: Lower<K> } = {
  input: () => {},
  constant: () => {}, // materialised where it is read
  neg: direct("Neg"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  reciprocal: direct("Reciprocal"),
  abs: direct("Abs"),
  sign: direct("Sign"),
  sigmoid: direct("Sigmoid"),
  tanh: direct("Tanh"),
  erf: direct("Erf"),
  relu: direct("Relu"),
  softplus: direct("Softplus"),
  silu: (l, n) => silu(l, l.in(n.inputs[0]!), l.out(0)),
  cast: (l, n) => {
    l.node("Cast", n.inputs.map(l.in), { to: int(onnxType[n.attrs.to]) }, l.out(0));
  },
  stopGradient: direct("Identity"),
  barrier: direct("Identity"),
  add: direct("Add"),
  sub: direct("Sub"),
  mul: direct("Mul"),
  div: direct("Div"),
  maximum: direct("Max"),
  minimum: direct("Min"),
  equal: direct("Equal"),
  greater: direct("Greater"),
  greaterEqual: direct("GreaterOrEqual"),
  select: direct("Where"),
  sum: (l, n) => {
    l.node("ReduceSum", [l.in(n.inputs[0]!), l.int64(...n.attrs.axes)], { keepdims: int(1) }, l.out(0));
  },
  max: (l, n) => {
    l.node("ReduceMax", [l.in(n.inputs[0]!), l.int64(...n.attrs.axes)], { keepdims: int(1) }, l.out(0));
  },
  argmax: (l, n) => {
    const index = l.node("ArgMax", [l.in(n.inputs[0]!)], { ...lastAxis, keepdims: int(0) });
    l.node("Cast", [index], { to: int(onnxType.i32) }, l.out(0));
  },
  reshape: (l, n) => {
    reshape(l, l.in(n.inputs[0]!), n.attrs.shape, l.out(0));
  },
  transpose: (l, n) => {
    l.node("Transpose", [l.in(n.inputs[0]!)], { perm: { ints: n.attrs.perm } }, l.out(0));
  },
  expand: (l, n) => {
    l.node("Expand", [l.in(n.inputs[0]!), l.int64(...n.attrs.shape)], {}, l.out(0));
  },
  slice: (l, n) => {
    const { axis, start, end } = n.attrs;
    l.node("Slice", [l.in(n.inputs[0]!), l.int64(start), l.int64(end), l.int64(axis)], {}, l.out(0));
  },
  pad: (l, n) => {
    const { axis, before, after } = n.attrs;
    l.node(
      "Pad",
      [l.in(n.inputs[0]!), l.int64(before, after), "", l.int64(axis)],
      { mode: "constant" },
      l.out(0),
    );
  },
  concat: (l, n) => {
    l.node("Concat", n.inputs.map(l.in), { axis: int(n.attrs.axis) }, l.out(0));
  },
  split: (l, n) => {
    const outs = n.outputs.map((_, i) => l.out(i));
    l.nodes("Split", [l.in(n.inputs[0]!), l.int64(...n.attrs.sizes)], outs, { axis: int(n.attrs.axis) });
  },
  gatherRows: (l, n) => {
    l.node("Gather", n.inputs.map(l.in), { axis: int(0) }, l.out(0));
  },
  // ScatterElements, never ScatterND: the latter loses additions when two threads meet in a row.
  scatterRows: (l, n) => {
    const [updates, ids] = n.inputs;
    const D = updates!.shape.at(-1)!;
    const N = sizeOf(ids!.shape);
    const index = l.node("Expand", [reshape(l, l.in(ids!), [N, 1]), l.int64(N, D)]);
    const zeros = l.node("Expand", [l.constant(Float32Array.of(0), [1]), l.int64(n.attrs.rows, D)]);
    const flat = reshape(l, l.in(updates!), [N, D]);
    l.node("ScatterElements", [zeros, index, flat], { axis: int(0), reduction: "add" }, l.out(0));
  },
  takeAlong: (l, n) => {
    const [x, ids] = n.inputs;
    pick(l, l.in(x!), ids!, l.out(0));
  },
  addAlong: (l, n) => {
    const [base, ids, updates] = n.inputs;
    const rows = [...ids!.shape, 1];
    const operands = [l.in(base!), reshape(l, l.in(ids!), rows), reshape(l, l.in(updates!), rows)];
    l.node("ScatterElements", operands, { ...lastAxis, reduction: "add" }, l.out(0));
  },
  matmul: (l, n) => {
    const { transA, transB, alpha } = n.attrs;
    matmul(l, l.in(n.inputs[0]!), l.in(n.inputs[1]!), transA, transB, alpha, l.out(0));
  },
  softmax: (l, n) => {
    l.node("Softmax", n.inputs.map(l.in), lastAxis, l.out(0));
  },
  logSoftmax: (l, n) => {
    l.node("LogSoftmax", n.inputs.map(l.in), lastAxis, l.out(0));
  },
  tokenLogprob: (l, n) => {
    const [logits, ids] = n.inputs;
    const all = l.node("LogSoftmax", [l.in(logits!)], lastAxis, l.out(1));
    pick(l, all, ids!, l.out(0));
  },
  rmsnorm: (l, n) => {
    // The second output is 1/sqrt(mean x² + eps), which this op calls inv_std_var.
    const outs = l.used(n.outputs[1]!) ? [l.out(0), l.out(1)] : [l.out(0)];
    l.nodes("SimplifiedLayerNormalization", n.inputs.map(l.in), outs, { ...lastAxis, epsilon: n.attrs.eps });
  },
  rope: (l, n) => {
    const [x, positions, cos, sin] = n.inputs;
    const int64s = l.node("Cast", [l.in(positions!)], { to: int(7) });
    const turn = n.attrs.inverse ? l.node("Neg", [l.in(sin!)]) : l.in(sin!);
    l.node("RotaryEmbedding", [l.in(x!), int64s, l.in(cos!), turn], { interleaved: int(0) }, l.out(0));
  },
  attention: (l, n) => {
    const [q, k, v, bias] = n.inputs;
    const [B, H, T, d] = q!.shape as [number, number, number, number];
    const [, K, S] = k!.shape as [number, number, number, number];
    const rows = (H / K) * T;
    const stacked = H === K ? l.in(q!) : reshape(l, l.in(q!), [B, K, rows, d]);
    const raw = matmul(l, stacked, l.in(k!), false, true, n.attrs.scale);
    const scores = l.node("Add", [H === K ? raw : reshape(l, raw, [B, H, T, S]), l.in(bias!)]);
    const probs = l.node("Softmax", [scores], lastAxis, l.out(1));
    if (H === K) matmul(l, probs, l.in(v!), false, false, 1, l.out(0));
    else {
      const out = matmul(l, reshape(l, probs, [B, K, rows, S]), l.in(v!), false, false, 1);
      reshape(l, out, q!.shape, l.out(0));
    }
  },
  swiglu: (l, n) => {
    const [gate, up] = n.inputs;
    silu(l, l.in(gate!), l.out(1));
    l.node("Mul", [l.out(1), l.in(up!)], {}, l.out(0));
  },
};

/** QuickGelu with alpha 1 is x·σ(x), in one pass. */
function silu(l: Lowering, x: string, to: string): void {
  l.node("QuickGelu", [x], { alpha: 1 }, to);
}

function reshape(l: Lowering, x: string, shape: readonly number[], to?: string): string {
  return l.node("Reshape", [x, l.int64(...shape)], {}, to);
}

function pick(l: Lowering, x: string, ids: Value, to: string): void {
  const taken = l.node("GatherElements", [x, reshape(l, l.in(ids), [...ids.shape, 1])], lastAxis);
  reshape(l, taken, ids.shape, to);
}

function matmul(
  l: Lowering,
  a: string,
  b: string,
  transA: boolean,
  transB: boolean,
  alpha: number,
  to?: string,
): string {
  if (!transA && !transB && alpha === 1) return l.node("MatMul", [a, b], {}, to);
  return l.node(
    "FusedMatMul",
    [a, b],
    { transA: int(Number(transA)), transB: int(Number(transB)), alpha },
    to,
  );
}

/** The model, with the graph's own names for its inputs and outputs. */
export function lowerCpu(graph: Graph): OnnxModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const shared = new Map<string, string>();
  const names = new Map<Value, string>();
  const outputs = Object.entries(graph.outputs);
  const order = reachable(Object.values(graph.outputs));
  const used = new Set<Value>([...order.flatMap((n) => n.inputs), ...Object.values(graph.outputs)]);
  let fresh = 0;

  for (const {
    attrs,
    outputs: [v],
  } of graph.inputs)
    names.set(v!, `in:${attrs.name}`);
  // An output is computed under its own name; an input passed through or a second name needs a copy.
  const copies: OnnxNode[] = [];
  for (const [name, v] of outputs) {
    const known = names.get(v);
    if (known === undefined && v.node.op !== "constant") names.set(v, `out:${name}`);
    else copies.push({ op: "Identity", inputs: [known ?? nameOf(v)], outputs: [`out:${name}`] });
  }

  function nameOf(v: Value): string {
    let name = names.get(v);
    if (name === undefined) {
      name = v.node.op === "constant" ? materialise(v.node) : `${v.node.op}${v.node.id}.${v.index}`;
      names.set(v, name);
    }
    return name;
  }

  function materialise({ attrs }: NodeOf<"constant">): string {
    const typed = { f32: Float32Array, i32: Int32Array, bool: Uint8Array }[attrs.dtype];
    const data = attrs.data instanceof typed ? attrs.data : typed.from(attrs.data);
    return constant(data, attrs.shape);
  }

  function constant(data: OnnxInitializer["data"], shape: readonly number[]): string {
    const key = data.length <= 8 ? `${data.constructor.name}[${shape}]${data}` : undefined;
    const known = key === undefined ? undefined : shared.get(key);
    if (known !== undefined) return known;
    const name = `const${initializers.length}`;
    initializers.push({ name, shape, data });
    if (key !== undefined) shared.set(key, name);
    return name;
  }

  const emit = (op: string, inputs: readonly string[], outs: readonly string[], attributes: Attributes) => {
    nodes.push({
      op,
      inputs,
      outputs: outs,
      attributes,
      ...(microsoft.has(op) && { domain: "com.microsoft" }),
    });
  };

  for (const node of order) {
    const l: Lowering = {
      in: nameOf,
      out: (index) => nameOf(node.outputs[index]!),
      node(op, inputs, attributes = {}, to = `t${fresh++}`) {
        emit(op, inputs, [to], attributes);
        return to;
      },
      nodes: (op, inputs, outs, attributes = {}) => emit(op, inputs, outs, attributes),
      constant,
      int64: (...values) => constant(BigInt64Array.from(values, BigInt), [values.length]),
      used: (v) => used.has(v),
    };
    (lowerings[node.op] as (l: Lowering, node: Node) => void)(l, node);
  }

  return {
    nodes: [...nodes, ...copies],
    inputs: graph.inputs.map(({ attrs }) => ({ ...attrs, name: `in:${attrs.name}` })),
    outputs: outputs.map(([name, v]) => ({ name: `out:${name}`, shape: v.shape, dtype: v.dtype })),
    initializers,
  };
}
