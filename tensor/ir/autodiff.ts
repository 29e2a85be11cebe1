// Reverse-mode differentiation: adds to a builder the nodes that compute a scalar's gradients.

import { check, TensorError } from "../error.ts";
import { showShape, sizeOf } from "../shape.ts";
import type { Builder } from "./builder.ts";
import { type Node, type OpName, reachable, type Value } from "./graph.ts";
import type { Vjp } from "./op.ts";
import { ops } from "./ops/index.ts";

/** d loss / d w for every w in `wrt`; `loss` is a scalar. An untouched w is an error, not a zero. */
export function grad(b: Builder, loss: Value, wrt: readonly Value[]): Value[] {
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

  for (const node of nodes.toReversed()) {
    if (!active.has(node) || node.inputs.length === 0) continue;
    const g = node.outputs.map((out) => gradients.get(out));
    if (g.every((x) => x === undefined)) continue;
    const back = (ops[node.op].vjp as Vjp<OpName>)(b, node as never, g);
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

/** Nodes with one of `wrt` among their ancestors; only through them can a gradient be useful. */
function activeNodes(nodes: readonly Node[], wrt: readonly Value[]): Set<Node> {
  const active = new Set<Node>(wrt.map((w) => w.node));
  for (const node of nodes) {
    if (node.inputs.some((input) => active.has(input.node))) active.add(node);
  }
  return active;
}
