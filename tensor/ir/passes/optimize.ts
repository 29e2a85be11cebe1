// Rebuilds a graph through the local rewrites with common subexpressions shared and dead nodes left behind.

import { Builder, type Intercept } from "../builder.ts";
import { type Graph, type OpName, reachable, type Value } from "../graph.ts";
import { simplify } from "./simplify.ts";

export function optimize(graph: Graph): Graph {
  const known = new Map<string, readonly Value[]>();
  const arrays = new Map<object, number>();

  /** Equal keys compute equal values. Barriers and inputs are equal only to themselves. */
  function keyOf(op: OpName, inputs: readonly Value[], attrs: object): string | undefined {
    if (op === "barrier" || op === "input") return undefined;
    const operands = inputs.map((v) => `${v.node.id}.${v.index}`).join(",");
    const data = "data" in attrs ? (attrs.data as ArrayLike<number> & object) : undefined;
    if (data === undefined || data.length <= 8) return `${op}(${operands})${JSON.stringify(attrs)}`;
    if (!arrays.has(data)) arrays.set(data, arrays.size); // long constants are the same only if they are the same array
    return `${op}(${operands})#${arrays.get(data)}${JSON.stringify({ ...attrs, data: 0 })}`;
  }

  const intercept: Intercept = (b, op, inputs, attrs) => {
    const key = keyOf(op, inputs, attrs);
    const shared = key === undefined ? undefined : known.get(key);
    if (shared) return shared;
    const outputs = simplify(b, op, inputs, attrs) ?? b.make(op, inputs, attrs as never).outputs;
    if (key !== undefined) known.set(key, outputs);
    return outputs;
  };

  const b = new Builder(intercept);
  const moved = new Map<Value, Value>();
  for (const node of graph.inputs)
    moved.set(node.outputs[0]!, b.input(node.attrs.name, node.attrs.shape, node.attrs.dtype));
  for (const node of reachable(Object.values(graph.outputs))) {
    if (node.op === "input") continue;
    const outputs = b.emit(
      node.op,
      node.inputs.map((v) => moved.get(v)!),
      node.attrs as never,
    );
    node.outputs.forEach((v, i) => {
      moved.set(v, outputs[i]!);
    });
  }
  return b.finish(
    Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, moved.get(v)!])),
  );
}
