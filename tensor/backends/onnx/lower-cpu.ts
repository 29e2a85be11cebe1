// Lowers the graph to ONNX nodes that are fast and exact on onnxruntime's CPU provider.

import type { Value } from "../../ir/graph.ts";
import { GELU_CUBE, GELU_SLOPE } from "../../ir/ops/fused.ts";
import { sizeOf } from "../../shape.ts";
import { type Attend, groupQueryAttention, writeAndAttend } from "./lower-cache.ts";
import { direct, int, type Lowering, type Lowerings, lastAxis, onnxType, pick, reshape } from "./lowering.ts";

export const cpuLowerings: Lowerings = {
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
  layernorm: (l, n) => {
    const outs = n.outputs.map((v, i) => (i === 0 || l.used(v) ? l.out(i) : ""));
    l.nodes("LayerNormalization", n.inputs.map(l.in), outs, { ...lastAxis, epsilon: n.attrs.eps });
  },
  rope: (l, n) => {
    const [x, positions, cos, sin] = n.inputs;
    const int64s = l.node("Cast", [l.in(positions!)], { to: int(7) });
    const turn = n.attrs.inverse ? l.node("Neg", [l.in(sin!)]) : l.in(sin!);
    l.node("RotaryEmbedding", [l.in(x!), int64s, l.in(cos!), turn], { interleaved: int(0) }, l.out(0));
  },
  attention: (l, n) => {
    const [q, k, v, bias] = n.inputs as [Value, Value, Value, Value];
    attend(l, q, { keys: k.shape, k: l.in(k), v: l.in(v) }, l.in(bias), n.attrs.scale, l.out(1));
  },
  cachedAttention: (l, n) => {
    const width = n.inputs[0]!.shape.at(-1)!;
    if (width % 8 === 0) groupQueryAttention(l, n);
    else writeAndAttend(l, n, attend); // which GroupQueryAttention refuses
  },
  swiglu: (l, n) => {
    const [gate, up] = n.inputs;
    silu(l, l.in(gate!), l.out(1));
    l.node("Mul", [l.out(1), l.in(up!)], {}, l.out(0));
  },
  gelu: (l, n) => {
    gelu(l, l.in(n.inputs[0]!), n.attrs.form, l.out(0), l.out(1));
  },
};

/** QuickGelu with alpha 1 is x·σ(x), in one pass. */
function silu(l: Lowering, x: string, to: string): void {
  l.node("QuickGelu", [x], { alpha: 1 }, to);
}

const attend: Attend = (l, q, { keys, k, v }, bias, scale, to) => {
  const [B, H, T, d] = q.shape as [number, number, number, number];
  const [, K, S] = keys as [number, number, number];
  const rows = (H / K) * T;
  const stacked = H === K ? l.in(q) : reshape(l, l.in(q), [B, K, rows, d]);
  const raw = matmul(l, stacked, k, false, true, scale);
  const scores = l.node("Add", [H === K ? raw : reshape(l, raw, [B, H, T, S]), bias]);
  const probs = l.node("Softmax", [scores], lastAxis, to);
  if (H === K) matmul(l, probs, v, false, false, 1, l.out(0));
  else {
    const out = matmul(l, reshape(l, probs, [B, K, rows, S]), v, false, false, 1);
    reshape(l, out, q.shape, l.out(0));
  }
};

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

/** In primitive steps also where no gradient wants the gate, so that scoring has the bits of training. */
function gelu(l: Lowering, x: string, form: "erf" | "tanh", y: string, gate: string): void {
  const f32 = (v: number) => l.constant(Float32Array.of(v), []);
  if (form === "erf") {
    const erf = l.node("Erf", [l.node("Mul", [x, f32(Math.SQRT1_2)])]);
    l.node("Mul", [l.node("Add", [erf, f32(1)]), f32(0.5)], {}, gate);
  } else {
    const cube = l.node("Mul", [l.node("Mul", [x, x]), f32(GELU_SLOPE * GELU_CUBE)]);
    l.node("Sigmoid", [l.node("Mul", [l.node("Add", [cube, f32(GELU_SLOPE)]), x])], {}, gate);
  }
  l.node("Mul", [x, gate], {}, y);
}
