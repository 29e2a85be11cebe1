// Takes rows out of a value before the work on the other rows is done: what computes row by row is computed of these rows alone.

import type { Builder } from "../builder.ts";
import { type Node, type OpAttrs, type OpName, reachable, type Value } from "../graph.ts";

/** Ops whose row i is of rows i alone: of their first operand, the others being weights, or of every operand. */
const FIRST = new Set<OpName>(["matmul", "rmsnorm", "layernorm"]);
const EVERY = new Set<OpName>(["add", "sub", "mul", "swiglu", "gelu", "silu", "relu", "tanh"]);

/**
 * Rows [R] (i32, no two the same) of x [N,D], [R,D]: b.gatherRows(x, rows), but of what led to x, after the last op that
 * mixes rows, these alone are computed. The last layer of a transformer then works on R rows behind its attention.
 */
export function takeRows(b: Builder, x: Value, rows: Value): Value {
  const N = x.shape[0]!;
  const nodes = reachable([x]);
  const users = new Map<Node, Node[]>();
  for (const node of nodes) {
    for (const { node: from } of node.inputs) users.set(from, [...(users.get(from) ?? []), node]);
  }
  // From x upwards; what also others need in whole stays whole.
  const sunk = new Set<Node>();
  for (const node of nodes.toReversed()) {
    const wanted = node === x.node || (users.get(node) ?? []).every((user) => sunk.has(user));
    if (wanted && rowwise(node, N)) sunk.add(node);
  }
  // Elementwise work alone is not worth a second gather.
  if (![...sunk].some(({ op }) => op === "matmul")) sunk.clear();

  const taken = new Map<Value, Value>();
  const take = (v: Value): Value => {
    const known = taken.get(v) ?? b.distinctRows(v, rows);
    taken.set(v, known);
    return known;
  };
  for (const node of nodes) {
    if (!sunk.has(node)) continue;
    const inputs = node.inputs.map((v, i) =>
      isRows(v, N) && (i === 0 || !FIRST.has(node.op)) ? take(v) : v,
    );
    // Made past the intercept: adapters and dropout are in these nodes already.
    const fewer = b.make(node.op, inputs, node.attrs as OpAttrs[OpName]);
    taken.set(node.outputs[0]!, fewer.outputs[0]!);
  }
  return take(x);
}

const isRows = ({ shape }: Value, N: number): boolean => shape.length === 2 && shape[0] === N;

/** Whether row i of its first output is of rows i alone, and its other outputs, if any, nobody's but its gradient's. */
function rowwise({ op, inputs, attrs, outputs }: Node, N: number): boolean {
  const [first, ...more] = inputs;
  if (!isRows(outputs[0]!, N) || !first) return false;
  if (op === "matmul") return isRows(first, N) && !(attrs as OpAttrs["matmul"]).transA;
  if (FIRST.has(op)) return isRows(first, N);
  // An operand that is stretched over the rows is the same for all of them.
  const fits = (v: Value) => isRows(v, N) || v.shape.length < 2 || v.shape[0] === 1;
  return EVERY.has(op) && fits(first) && more.every(fits) && inputs.some((v) => isRows(v, N));
}
