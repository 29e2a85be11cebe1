// Local rewrites: scalar folding, identities dropped, transposes folded into matmul. Each is exact or exact up to rounding of constants.

import { broadcastShapes, sameShape, sizeOf } from "../../shape.ts";
import type { Builder } from "../builder.ts";
import type { NodeOf, OpAttrs, OpName, Value } from "../graph.ts";

type Rule<K extends OpName> = (
  b: Builder,
  inputs: readonly Value[],
  attrs: OpAttrs[K],
) => Value | readonly Value[] | undefined;

/** The number in a one-element f32 constant. */
function number(v: Value | undefined): number | undefined {
  if (v?.node.op !== "constant" || v.dtype !== "f32" || sizeOf(v.shape) !== 1) return undefined;
  return v.node.attrs.data[0];
}

function made<K extends OpName>(v: Value, op: K): NodeOf<K> | undefined {
  return v.node.op === op ? (v.node as unknown as NodeOf<K>) : undefined;
}

/** An expand below a broadcasting op is idle when the other operands stretch the result anyway. */
function dropExpand(inputs: readonly Value[]): Value[] | undefined {
  const shape = (vs: readonly Value[]) =>
    vs.map((v) => v.shape).reduce((p, q) => broadcastShapes(p, q, "fold"));
  const out = shape(inputs);
  for (const [i, v] of inputs.entries()) {
    const expand = made(v, "expand");
    if (!expand) continue;
    const next = inputs.with(i, expand.inputs[0]!);
    if (sameShape(shape(next), out)) return next;
  }
  return undefined;
}

function arithmetic<K extends "add" | "sub" | "mul" | "div">(
  op: K,
  fold: (x: number, y: number) => number,
  special: (b: Builder, x: Value, y: Value) => Value | undefined,
): Rule<K> {
  return (b, inputs, attrs) => {
    const [x, y] = [inputs[0]!, inputs[1]!];
    const [p, q] = [number(x), number(y)];
    const out = broadcastShapes(x.shape, y.shape, op);
    if (p !== undefined && q !== undefined && out.length === 0) return b.scalar(fold(p, q));
    const hit = special(b, x, y);
    if (hit && sameShape(hit.shape, out)) return hit;
    const slim = dropExpand(inputs);
    return slim && b.emit(op, slim, attrs)[0];
  };
}

const fold1 =
  <K extends OpName>(f: (x: number) => number): Rule<K> =>
  (b, [x]) => {
    const p = number(x);
    return p !== undefined && x!.shape.length === 0 ? b.scalar(f(p)) : undefined;
  };

const rules: { readonly [K in OpName]?: Rule<K> } = {
  add: arithmetic(
    "add",
    (x, y) => x + y,
    (b, x, y) => {
      if (number(x) === 0) return y;
      if (number(y) === 0) return x;
      const [nx, ny] = [made(x, "neg"), made(y, "neg")];
      if (ny) return b.sub(x, ny.inputs[0]!);
      return nx && b.sub(y, nx.inputs[0]!);
    },
  ),
  sub: arithmetic(
    "sub",
    (x, y) => x - y,
    (b, x, y) => {
      if (number(y) === 0) return x;
      if (number(x) === 0) return b.neg(y);
      const ny = made(y, "neg");
      return ny && b.add(x, ny.inputs[0]!);
    },
  ),
  mul: arithmetic(
    "mul",
    (x, y) => x * y,
    (b, x, y) => {
      const [p, q] = [number(x), number(y)];
      if (p !== undefined && q === undefined) return p === 1 ? y : b.mul(y, x); // the constant goes right
      if (q === undefined || y.shape.length > 0) return undefined;
      if (q === 1) return x;
      if (q === -1) return b.neg(x);
      const inner = made(x, "mul");
      const before = inner && number(inner.inputs[1]);
      return before !== undefined && inner!.inputs[1]!.shape.length === 0
        ? b.mul(inner!.inputs[0]!, before * q)
        : undefined;
    },
  ),
  div: arithmetic(
    "div",
    (x, y) => x / y,
    (_b, x, y) => (number(y) === 1 ? x : undefined),
  ),
  neg: (b, [x], attrs) => made(x!, "neg")?.inputs[0] ?? fold1((p) => -p)(b, [x!], attrs),
  exp: fold1(Math.exp),
  log: fold1(Math.log),
  sqrt: fold1(Math.sqrt),
  reciprocal: fold1((p) => 1 / p),
  select: (b, inputs) => {
    const slim = dropExpand(inputs);
    return slim && b.emit("select", slim, {});
  },
  cast: (_b, [x], { to }) => (x!.dtype === to ? x : undefined),
  stopGradient: (_b, [x]) => x,
  sum: (_b, [x], { axes }) => (axes.every((a) => x!.shape[a] === 1) ? x : undefined),
  max: (_b, [x], { axes }) => (axes.every((a) => x!.shape[a] === 1) ? x : undefined),
  reshape: (b, [x], { shape }) => {
    if (sameShape(x!.shape, shape)) return x;
    const inner = made(x!, "reshape");
    return inner && b.reshape(inner.inputs[0]!, shape);
  },
  transpose: (b, [x], { perm }) => {
    if (perm.every((p, i) => p === i)) return x;
    const inner = made(x!, "transpose");
    return (
      inner &&
      b.transpose(
        inner.inputs[0]!,
        perm.map((p) => inner.attrs.perm[p]!),
      )
    );
  },
  expand: (b, [x], { shape }) => {
    if (sameShape(x!.shape, shape)) return x;
    const inner = made(x!, "expand");
    return inner && b.expand(inner.inputs[0]!, shape);
  },
  slice: (_b, [x], { axis, start, end }) => (start === 0 && end === x!.shape[axis] ? x : undefined),
  pad: (_b, [x], { before, after }) => (before === 0 && after === 0 ? x : undefined),
  concat: (_b, inputs, { axis }) => {
    if (inputs.length === 1) return inputs[0];
    const split = made(inputs[0]!, "split");
    const whole =
      split?.attrs.axis === axis &&
      split.outputs.length === inputs.length &&
      inputs.every((v, i) => v === split.outputs[i]);
    return whole ? split.inputs[0] : undefined;
  },
  split: (_b, [x], { axis, sizes }) => {
    const concat = made(x!, "concat");
    const same = concat?.attrs.axis === axis && concat.inputs.length === sizes.length;
    return same && concat.inputs.every((v, i) => v.shape[axis] === sizes[i]) ? concat.inputs : undefined;
  },
  matmul: (b, [x, y], attrs) => {
    const plain = (v: Value) => {
      const t = made(v, "transpose");
      const n = v.shape.length;
      const swaps = t?.attrs.perm.every((p, i) => p === (i === n - 1 ? n - 2 : i === n - 2 ? n - 1 : i));
      return swaps ? t!.inputs[0] : undefined;
    };
    const [px, py] = [plain(x!), plain(y!)];
    if (!px && !py) return undefined;
    return b.matmul(px ?? x!, py ?? y!, {
      transA: attrs.transA !== (px !== undefined),
      transB: attrs.transB !== (py !== undefined),
      alpha: attrs.alpha,
    });
  },
};

/** What `op(inputs)` may be replaced by, or undefined. */
export function simplify(
  b: Builder,
  op: OpName,
  inputs: readonly Value[],
  attrs: object,
): readonly Value[] | undefined {
  const rule = rules[op] as Rule<OpName> | undefined;
  const result = rule?.(b, inputs, attrs as never);
  if (result === undefined) return undefined;
  return "node" in result ? [result] : result;
}
