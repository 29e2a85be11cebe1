// Lowers one token's attention over a cache: as one node, or where none does it as write, mask, attend.

import type { NodeOf, Value } from "../../ir/graph.ts";
import { FORBIDDEN } from "../../ir/ops/fused.ts";
import type { Shape } from "../../shape.ts";
import { int, type Lowering, reshape } from "./lowering.ts";

/** Emits softmax(scale · q kᵀ + bias) v as output 0 of the node being lowered; `to` names the probabilities. */
export type Attend = (
  l: Lowering,
  q: Value,
  seen: { readonly keys: Shape; readonly k: string; readonly v: string },
  bias: string,
  scale: number,
  to?: string,
) => void;

type Operands = [q: Value, k: Value, v: Value, keys: Value, values: Value, positions: Value, bias?: Value];

/**
 * Writes in place where an output's array is the one fed for the cache: the cache is never copied, and slots after a
 * row's own cost nothing. The node also rotates queries and keys by their row's position.
 */
export function groupQueryAttention(l: Lowering, n: NodeOf<"cachedAttention">): void {
  const [q, k, v, keys, values, positions, bias] = n.inputs as Operands;
  const [B, H, , d] = q.shape as [number, number, number, number];
  const [, K, S] = keys.shape as [number, number, number];
  const [turnedQ, turnedK] = [rotation(q, positions), rotation(k, positions)];
  const same = turnedQ && turnedK && turnedQ.cos === turnedK.cos && turnedQ.sin === turnedK.sin;
  const tables = same && d % 16 === 0; // as the node demands
  const [plainQ, plainK] = tables ? [turnedQ.x, turnedK.x] : [q, k];
  const row = (x: Value) => reshape(l, l.in(x), [B, 1, x.shape[1]! * d]);
  const total = l.constant(Int32Array.of(S), [1]);
  const inputs = [row(plainQ), row(plainK), row(v), l.in(keys), l.in(values), l.in(positions), total];
  if (tables || bias) inputs.push(...(tables ? [l.in(turnedQ.cos), l.in(turnedQ.sin)] : ["", ""]));
  if (bias) inputs.push("", l.in(bias));
  const out = l.fresh();
  l.nodes("GroupQueryAttention", inputs, [out, l.out(1), l.out(2)], {
    num_heads: int(H),
    kv_num_heads: int(K),
    scale: n.attrs.scale,
    ...(n.attrs.window !== undefined && { local_window_size: int(n.attrs.window) }),
    ...(tables && { do_rotary: int(1) }),
  });
  reshape(l, out, q.shape, l.out(0));
}

/** How whole heads were rotated by these positions, if they were. */
function rotation(turned: Value, positions: Value) {
  if (turned.node.op !== "rope" || turned.node.attrs.inverse) return undefined;
  const [x, at, cos, sin] = turned.node.inputs as [Value, Value, Value, Value];
  const rows = at.node.op === "reshape" ? at.node.inputs[0] : at;
  return rows === positions && 2 * cos.shape[1]! === x.shape[3] ? { x, cos, sin } : undefined;
}

export function writeAndAttend(l: Lowering, n: NodeOf<"cachedAttention">, attend: Attend): void {
  const [q, k, v, keys, values, positions, bias] = n.inputs as Operands;
  const [B, , S] = keys.shape as [number, number, number];
  const slots = (shape: Shape, shift = 0) =>
    l.constant(
      Int32Array.from({ length: S }, (_, i) => i + shift),
      shape,
    );
  const at = reshape(l, l.in(positions), [B, 1, 1, 1]);
  const mine = l.node("Equal", [slots([1, 1, S, 1]), at]);
  const next = {
    keys: keys.shape,
    k: l.node("Where", [mine, l.in(k), l.in(keys)], {}, l.out(1)),
    v: l.node("Where", [mine, l.in(v), l.in(values)], {}, l.out(2)),
  };
  const [zero, never] = [0, FORBIDDEN].map((x) => l.constant(Float32Array.of(x), [])) as [string, string];
  let mask = l.node("Where", [l.node("GreaterOrEqual", [at, slots([1, 1, 1, S])]), zero, never]);
  const { window } = n.attrs;
  if (window !== undefined && window < S) {
    const inside = l.node("Greater", [slots([1, 1, 1, S], window), at]);
    mask = l.node("Add", [mask, l.node("Where", [inside, zero, never])]);
  }
  attend(l, q, next, bias ? l.node("Add", [mask, l.in(bias)]) : mask, n.attrs.scale);
}
