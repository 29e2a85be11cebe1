// Shape rules and gradients of the elementwise ops, with numpy broadcasting.

import { broadcastShapes, type Shape, sameShape } from "../../shape.ts";
import type { Builder } from "../builder.ts";
import type { NodeOf, OpName, Value } from "../graph.ts";
import { f32, type OpDef, type OpDefs, want } from "../op.ts";

type UnaryName =
  | "neg"
  | "exp"
  | "log"
  | "sqrt"
  | "reciprocal"
  | "abs"
  | "sign"
  | "sigmoid"
  | "tanh"
  | "erf"
  | "relu"
  | "softplus"
  | "silu";

/** `d(b, x, y, g)` is g times dy/dx, where y is the op's own output. */
function unary<K extends UnaryName>(
  name: K,
  d: ((b: Builder, x: Value, y: Value, g: Value) => Value) | null,
): OpDef<K> {
  return {
    infer: ([x]) => {
      want(x!, "f32", name);
      return [f32(x!.shape)];
    },
    vjp: (b, node, [g]) => [g && d ? d(b, node.inputs[0]!, node.outputs[0]!, g) : undefined],
  };
}

type BinaryName = "add" | "sub" | "mul" | "div" | "maximum" | "minimum";

function binary<K extends BinaryName>(
  name: K,
  d: (b: Builder, x: Value, y: Value, g: Value, out: Value) => [Value, Value],
): OpDef<K> {
  return {
    infer: ([x, y]) => {
      want(x!, "f32", name);
      want(y!, "f32", name);
      return [f32(broadcastShapes(x!.shape, y!.shape, name))];
    },
    vjp: (b, node: NodeOf<K>, [g]) => {
      if (!g) return [undefined, undefined];
      const [x, y] = [node.inputs[0]!, node.inputs[1]!];
      const [gx, gy] = d(b, x, y, g, node.outputs[0]!);
      return [sumTo(b, gx, x.shape), sumTo(b, gy, y.shape)];
    },
  };
}

function compare<K extends "equal" | "greater" | "greaterEqual">(name: K): OpDef<K> {
  return {
    infer: ([x, y]) => {
      want(y!, x!.dtype, name);
      return [{ shape: broadcastShapes(x!.shape, y!.shape, name), dtype: "bool" }];
    },
    vjp: () => [undefined, undefined],
  };
}

/** Undoes broadcasting: sums g over the dimensions along which `shape` was stretched. */
export function sumTo(b: Builder, g: Value, shape: Shape): Value {
  if (sameShape(g.shape, shape)) return g;
  const shift = g.shape.length - shape.length;
  const axes = g.shape.flatMap((d, i) => (i < shift || (shape[i - shift] === 1 && d !== 1) ? [i] : []));
  return b.reshape(axes.length > 0 ? b.sum(g, axes) : g, shape);
}

const identity = (name: OpName): OpDef<"barrier"> & OpDef<"stopGradient"> => ({
  infer: ([x]) => [{ shape: x!.shape, dtype: x!.dtype }],
  vjp: (_b, _node, [g]) => [name === "stopGradient" ? undefined : g],
});

export const elementwise: OpDefs<
  | UnaryName
  | BinaryName
  | "equal"
  | "greater"
  | "greaterEqual"
  | "select"
  | "cast"
  | "stopGradient"
  | "barrier"
> = {
  neg: unary("neg", (b, _x, _y, g) => b.neg(g)),
  exp: unary("exp", (b, _x, y, g) => b.mul(g, y)),
  log: unary("log", (b, x, _y, g) => b.div(g, x)),
  sqrt: unary("sqrt", (b, _x, y, g) => b.div(b.mul(g, 0.5), y)),
  reciprocal: unary("reciprocal", (b, _x, y, g) => b.neg(b.mul(g, b.mul(y, y)))),
  abs: unary("abs", (b, x, _y, g) => b.mul(g, b.sign(x))),
  sign: unary("sign", null),
  sigmoid: unary("sigmoid", (b, _x, y, g) => b.mul(g, b.mul(y, b.sub(1, y)))),
  tanh: unary("tanh", (b, _x, y, g) => b.mul(g, b.sub(1, b.mul(y, y)))),
  // d erf = 2/sqrt(pi) exp(-x²)
  erf: unary("erf", (b, x, _y, g) => b.mul(g, b.mul(b.exp(b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI)))),
  relu: unary("relu", (b, x, _y, g) => b.select(b.greater(x, 0), g, 0)),
  softplus: unary("softplus", (b, x, _y, g) => b.mul(g, b.sigmoid(x))),
  // y = xσ; dy/dx = σ(1 + x - y)
  silu: unary("silu", (b, x, y, g) => b.mul(g, b.mul(b.sigmoid(x), b.add(b.sub(x, y), 1)))),

  add: binary("add", (_b, _x, _y, g) => [g, g]),
  sub: binary("sub", (b, _x, _y, g) => [g, b.neg(g)]),
  mul: binary("mul", (b, x, y, g) => [b.mul(g, y), b.mul(g, x)]),
  div: binary("div", (b, _x, y, g, out) => {
    const gx = b.div(g, y);
    return [gx, b.neg(b.mul(gx, out))];
  }),
  // At a tie the whole gradient goes to the first operand.
  maximum: binary("maximum", (b, x, y, g) => {
    const first = b.greaterEqual(x, y);
    return [b.select(first, g, 0), b.select(first, 0, g)];
  }),
  minimum: binary("minimum", (b, x, y, g) => {
    const first = b.greaterEqual(y, x);
    return [b.select(first, g, 0), b.select(first, 0, g)];
  }),

  equal: compare("equal"),
  greater: compare("greater"),
  greaterEqual: compare("greaterEqual"),
  select: {
    infer: ([c, x, y]) => {
      want(c!, "bool", "select");
      want(y!, x!.dtype, "select");
      const shape = broadcastShapes(c!.shape, broadcastShapes(x!.shape, y!.shape, "select"), "select");
      return [{ shape, dtype: x!.dtype }];
    },
    vjp: (b, node, [g]) => {
      const [c, x, y] = node.inputs;
      if (!g) return [];
      return [undefined, sumTo(b, b.select(c!, g, 0), x!.shape), sumTo(b, b.select(c!, 0, g), y!.shape)];
    },
  },
  cast: {
    infer: ([x], { to }) => [{ shape: x!.shape, dtype: to }],
    vjp: (_b, node, [g]) => [node.inputs[0]!.dtype === "f32" && node.attrs.to === "f32" ? g : undefined],
  },
  stopGradient: identity("stopGradient"),
  barrier: identity("barrier"),
};
