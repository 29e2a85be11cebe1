// Reverse-mode differentiation: adds to a builder the nodes that compute a scalar's gradients.

import { check, TensorError } from "../error.ts";
import { showShape, sizeOf } from "../shape.ts";
import type { Builder } from "./builder.ts";
import { type Node, type OpName, reachable, type Value } from "./graph.ts";
import type { Vjp } from "./op.ts";
import { ops } from "./ops/index.ts";

export interface GradOptions {
  /**
   * Ids of nodes at which the forward pass is cut. What lies between two cuts is computed a second time for its
   * gradients, so that only the values that cross a cut are kept meanwhile.
   */
  readonly cuts?: readonly number[];
}

/** d loss / d w for every w in `wrt`; `loss` is a scalar. An untouched w is an error, not a zero. */
export function grad(
  b: Builder,
  loss: Value,
  wrt: readonly Value[],
  { cuts = [] }: GradOptions = {},
): Value[] {
  check(
    sizeOf(loss.shape) === 1,
    "shape",
    () => `grad: the loss is ${showShape(loss.shape)}, wants a scalar`,
  );
  const nodes = reachable([loss]);
  const active = activeNodes(nodes, wrt);

  const gradients = new Map<Value, Value>();
  const flow = (to: Value, g: Value) => {
    const before = gradients.get(to);
    gradients.set(to, before ? b.add(before, g) : g);
  };
  flow(loss, b.expand(b.scalar(1), loss.shape));

  const second = recomputation(b, nodes, active, cuts);
  for (const node of nodes.toReversed()) {
    if (!active.has(node) || node.inputs.length === 0) continue;
    const g = node.outputs.map((out) => gradients.get(out));
    if (g.every((x) => x === undefined)) continue;
    const twin = second(node, g.find((x) => x !== undefined)!);
    const back = (ops[twin.op].vjp as Vjp<OpName>)(b, twin as never, g);
    node.inputs.forEach((input, i) => {
      const gi = back[i];
      if (gi && (active.has(input.node) || wrt.includes(input))) flow(input, gi);
    });
  }

  return wrt.map((w) => {
    const g = gradients.get(w);
    if (g) return g;
    const name = w.node.op === "input" ? `"${w.node.attrs.name}"` : `a ${w.node.op} node`;
    throw new TensorError("not-differentiable", `grad: the loss does not depend on ${name}`);
  });
}

/** For a node between two cuts its second computation, made when the first gradient reaches its part; otherwise itself. */
function recomputation(b: Builder, nodes: readonly Node[], active: Set<Node>, cuts: readonly number[]) {
  const sorted = [...new Set(cuts)].sort((p, q) => p - q);
  const parts = new Map<number, Map<Node, Node>>();

  function replay(part: number, g: Value): Map<Node, Node> {
    const [start, end] = [sorted[part]!, sorted[part + 1]!];
    const twins = new Map<Node, Node>();
    const moved = new Map<Value, Value>();
    // Nothing may be computed before the gradient is there, else it would wait in memory just the same.
    const zero = b.mul(b.slice(b.reshape(g, [-1]), 0, 0, 1), 0);
    const after = (v: Value): Value => {
      const known = moved.get(v);
      if (known) return known;
      const crosses = v.node.id < start && active.has(v.node) && v.node.op !== "input" && v.dtype === "f32";
      if (!crosses) return v;
      const late = b.barrier(
        b.add(
          v,
          b.reshape(
            zero,
            v.shape.map(() => 1),
          ),
        ),
      );
      moved.set(v, late);
      return late;
    };
    for (const node of nodes) {
      if (node.id < start || node.id >= end) continue;
      const inputs = node.inputs.map(after);
      if (inputs.every((v, i) => v === node.inputs[i])) continue;
      const twin = b.make(node.op, inputs, node.attrs as never) as unknown as Node;
      twins.set(node, twin);
      node.outputs.forEach((v, i) => {
        moved.set(v, twin.outputs[i]!);
      });
    }
    return twins;
  }

  return (node: Node, g: Value): Node => {
    const part = sorted.findLastIndex((cut) => cut <= node.id);
    if (part < 0 || part === sorted.length - 1) return node;
    let twins = parts.get(part);
    if (!twins) {
      twins = replay(part, g);
      parts.set(part, twins);
    }
    return twins.get(node) ?? node;
  };
}

/** Nodes with one of `wrt` among their ancestors; only through them can a gradient be useful. */
function activeNodes(nodes: readonly Node[], wrt: readonly Value[]): Set<Node> {
  const active = new Set<Node>(wrt.map((w) => w.node));
  for (const node of nodes) {
    if (node.inputs.some((input) => active.has(input.node))) active.add(node);
  }
  return active;
}
