// Lowers one token's attention over a cache where no single node does it: write, mask, attend.

import type { NodeOf, Value } from "../../ir/graph.ts";
import { FORBIDDEN } from "../../ir/ops/fused.ts";
import type { Shape } from "../../shape.ts";
import { type Lowering, reshape } from "./lowering.ts";

/** Emits softmax(scale · q kᵀ + bias) v as output 0 of the node being lowered; `to` names the probabilities. */
export type Attend = (
  l: Lowering,
  q: Value,
  seen: { readonly keys: Shape; readonly k: string; readonly v: string },
  bias: string,
  scale: number,
  to?: string,
) => void;

export function writeAndAttend(l: Lowering, n: NodeOf<"cachedAttention">, attend: Attend): void {
  const [q, k, v, keys, values, positions, bias] = n.inputs as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
    Value?,
  ];
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
