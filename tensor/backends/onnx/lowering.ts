// Turns a graph into ONNX nodes by a table with one entry per op; the tables differ by execution provider.

import type { DType, Graph, Node, NodeOf, OpName, Value } from "../../ir/graph.ts";
import { reachable } from "../../ir/graph.ts";
import type { Attribute, OnnxInitializer, OnnxModel, OnnxNode } from "./encode.ts";

export type Attributes = Readonly<Record<string, Attribute>>;

export interface Lowering {
  /** Name of an operand. */
  in(v: Value): string;
  /** Name of an output of the node being lowered. */
  out(index: number): string;
  /** Emits an ONNX node with one output; `to` names it, otherwise a node that does the same is shared or a fresh name is made. */
  node(op: string, inputs: readonly string[], attributes?: Attributes, to?: string): string;
  /** Emits an ONNX node with the given output names ("" is an omitted one). */
  nodes(op: string, inputs: readonly string[], outputs: readonly string[], attributes?: Attributes): void;
  /** A name for an output that nothing else has. */
  fresh(): string;
  /** An initialiser, shared by content when small or of indices. */
  constant(data: OnnxInitializer["data"], shape: readonly number[]): string;
  int64(...values: number[]): string;
  /** Whether anything reads this output. */
  used(v: Value): boolean;
  /** Nodes from here on read the operand under this name; whoever computed it under the old one may become idle. */
  rename(v: Value, name: string): void;
}

export type Lower<K extends OpName> = (l: Lowering, node: NodeOf<K>) => void;

export type Lowerings = { readonly [K in OpName]: Lower<K> };

export const direct =
  (op: string): Lower<OpName> =>
  (l, node) => {
    l.node(op, node.inputs.map(l.in), {}, l.out(0));
  };

export const onnxType: Record<DType, number> = { f32: 1, i32: 6, bool: 9 };
export const int = (value: number) => ({ int: value });
export const lastAxis = { axis: int(-1) };

/** Ops that live in onnxruntime's own domain. */
const microsoft = new Set([
  "FusedMatMul",
  "GroupQueryAttention",
  "QuickGelu",
  "RotaryEmbedding",
  "SkipSimplifiedLayerNormalization",
]);

export function reshape(l: Lowering, x: string, shape: readonly number[], to?: string): string {
  return l.node("Reshape", [x, l.int64(...shape)], {}, to);
}

export function pick(l: Lowering, x: string, ids: Value, to: string): void {
  const taken = l.node("GatherElements", [x, reshape(l, l.in(ids), [...ids.shape, 1])], lastAxis);
  reshape(l, taken, ids.shape, to);
}

/** The model, with the graph's own names for its inputs and outputs. */
export function lowerWith(lowerings: Lowerings, graph: Graph): OnnxModel {
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const shared = new Map<string, string>();
  const emitted = new Map<string, string>();
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
    const short = data.length <= 8 || data instanceof Int32Array;
    const key = short ? `${data.constructor.name}[${shape}]${data}` : undefined;
    const known = key === undefined ? undefined : shared.get(key);
    if (known !== undefined) return known;
    const name = `const${initializers.length}`;
    initializers.push({ name, shape, data });
    if (key !== undefined) shared.set(key, name);
    return name;
  }

  /** What each Reshape reshapes: of two in a row the first is idle. */
  const unshaped = new Map<string, string>();

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
      node(op, inputs, attributes = {}, to = undefined) {
        if (op === "Reshape") inputs = inputs.with(0, unshaped.get(inputs[0]!) ?? inputs[0]!);
        const key = to === undefined ? `${op}(${inputs})${JSON.stringify(attributes)}` : "";
        const known = emitted.get(key);
        if (known !== undefined) return known;
        const name = to ?? `t${fresh++}`;
        if (to === undefined) emitted.set(key, name);
        if (op === "Reshape") unshaped.set(name, inputs[0]!);
        emit(op, inputs, [name], attributes);
        return name;
      },
      fresh: () => `t${fresh++}`,
      nodes: (op, inputs, outs, attributes = {}) => emit(op, inputs, outs, attributes),
      constant,
      int64: (...values) => constant(BigInt64Array.from(values, BigInt), [values.length]),
      used: (v) => used.has(v),
      rename: (v, name) => {
        if (!outputs.some(([, output]) => output === v)) names.set(v, name);
      },
    };
    (lowerings[node.op] as (l: Lowering, node: Node) => void)(l, node);
  }

  return withoutIdle({
    nodes: [...nodes, ...copies],
    inputs: graph.inputs.map(({ attrs }) => ({ ...attrs, name: `in:${attrs.name}` })),
    outputs: outputs.map(([name, v]) => ({ name: `out:${name}`, shape: v.shape, dtype: v.dtype })),
    initializers,
  });
}

/** Nodes and constants of which nothing is read are left out; nodes come after what they read. */
export function withoutIdle(model: OnnxModel): OnnxModel {
  const read = new Set(model.outputs.map(({ name }) => name));
  const nodes = model.nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => read.has(name))) return false;
    for (const name of node.inputs) read.add(name);
    return true;
  });
  return {
    ...model,
    nodes: nodes.toReversed(),
    initializers: model.initializers.filter(({ name }) => read.has(name)),
  };
}
