// Lowers the graph to the ONNX nodes that onnxruntime's WebGPU provider has, and has right.

import type { Value } from "../../ir/graph.ts";
import { sizeOf } from "../../shape.ts";
import { type Attend, writeAndAttend } from "./lower-cache.ts";
import { cpuLowerings } from "./lower-cpu.ts";
import { int, type Lowering, type Lowerings, lastAxis, onnxType, pick, reshape } from "./lowering.ts";

/**
 * Differs from the CPU table where a node would fall back to the CPU or be wrong: FusedMatMul and LogSoftmax are
 * not there, and the further outputs of the normalisations are never written (gradients are wrong while the first loss is
 * right).
 */
export const webgpuLowerings: Lowerings = {
  ...cpuLowerings,
  // Adding by ScatterElements is atomic there, in whatever order: other bits in every run. So rows of one id are first
  // summed by a product with the matrix of equal ids; then each of them writes the same sum.
  scatterRows: (l, n) => {
    const [updates, ids] = n.inputs;
    const D = updates!.shape.at(-1)!;
    const N = sizeOf(ids!.shape);
    const zeros = l.node("Expand", [l.constant(Float32Array.of(0), [1]), l.int64(n.attrs.rows, D)]);
    const [flat, flatIds] = [reshape(l, l.in(updates!), [N, D]), reshape(l, l.in(ids!), [N, 1])];
    let sum: string | undefined;
    for (let start = 0; start < N; start += SCATTER_BLOCK) {
      const end = Math.min(start + SCATTER_BLOCK, N);
      const rows = (x: string) =>
        end - start === N ? x : l.node("Slice", [x, l.int64(start), l.int64(end), l.int64(0)]);
      const block = rows(flatIds);
      const equal = l.node("Equal", [block, reshape(l, block, [1, end - start])]);
      const totals = l.node("MatMul", [l.node("Cast", [equal], { to: int(onnxType.f32) }), rows(flat)]);
      const index = l.node("Expand", [block, l.int64(end - start, D)]);
      const to = end === N ? l.out(0) : undefined;
      const scatter = (out?: string) =>
        l.node("ScatterElements", [zeros, index, totals], { axis: int(0) }, out);
      sum = sum === undefined ? scatter(to) : l.node("Add", [sum, scatter()], {}, to);
    }
  },
  matmul: (l, n) => {
    const [a, b] = n.inputs;
    const { transA, transB, alpha } = n.attrs;
    if (a!.shape.length === 2 && b!.shape.length === 2) {
      const attributes = { transA: int(Number(transA)), transB: int(Number(transB)), alpha };
      l.node("Gemm", [l.in(a!), l.in(b!)], attributes, l.out(0));
    } else {
      const left = transA ? swapLast(l, l.in(a!), a!.shape.length) : l.in(a!);
      const right = transB ? swapLast(l, l.in(b!), b!.shape.length) : l.in(b!);
      product(l, left, right, alpha, l.out(0));
    }
  },
  logSoftmax: (l, n) => {
    logSoftmax(l, l.in(n.inputs[0]!), l.out(0));
  },
  tokenLogprob: (l, n) => {
    const [logits, ids] = n.inputs;
    pick(l, logSoftmax(l, l.in(logits!), l.out(1)), ids!, l.out(0));
  },
  rmsnorm: (l, n) => {
    const [x, w] = n.inputs;
    const squares = l.node("Mul", [l.in(x!), l.in(x!)]);
    const mean = l.node("ReduceMean", [squares, l.int64(-1)], { keepdims: int(1) });
    const rstd = rootInverse(l, mean, n.attrs.eps, l.out(1));
    l.node("Mul", [l.node("Mul", [l.in(x!), rstd]), l.in(w!)], {}, l.out(0));
  },
  layernorm: (l, n) => {
    const [x, w, bias] = n.inputs;
    const over = { keepdims: int(1) };
    const mean = l.node("ReduceMean", [l.in(x!), l.int64(-1)], over, l.out(1));
    const centred = l.node("Sub", [l.in(x!), mean]);
    const variance = l.node("ReduceMean", [l.node("Mul", [centred, centred]), l.int64(-1)], over);
    const rstd = rootInverse(l, variance, n.attrs.eps, l.out(2));
    const scaled = l.node("Mul", [l.node("Mul", [centred, rstd]), l.in(w!)]);
    l.node("Add", [scaled, l.in(bias!)], {}, l.out(0));
  },
  attention: (l, n) => {
    const [q, k, v, bias] = n.inputs as [Value, Value, Value, Value];
    attend(l, q, { keys: k.shape, k: l.in(k), v: l.in(v) }, l.in(bias), n.attrs.scale, l.out(1));
  },
  cachedAttention: (l, n) => {
    writeAndAttend(l, n, attend);
  },
};

const attend: Attend = (l, q, { keys, k, v }, bias, scale, to) => {
  const [B, H, T, d] = q.shape as [number, number, number, number];
  const [, K, S] = keys as [number, number, number];
  const rows = (H / K) * T;
  const raw = product(l, reshape(l, l.in(q), [B, K, rows, d]), swapLast(l, k, 4), scale);
  const scores = l.node("Add", [reshape(l, raw, [B, H, T, S]), bias]);
  const probs = l.node("Softmax", [scores], lastAxis, to);
  const out = l.node("MatMul", [reshape(l, probs, [B, K, rows, S]), v]);
  reshape(l, out, q.shape, l.out(0));
};

/** Rows that scatterRows compares with each other at once: 64 MiB of ones and zeros. */
const SCATTER_BLOCK = 4096;

function swapLast(l: Lowering, x: string, rank: number): string {
  const perm = Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i));
  return l.node("Transpose", [x], { perm: { ints: perm } });
}

function product(l: Lowering, a: string, b: string, alpha: number, to?: string): string {
  if (alpha === 1) return l.node("MatMul", [a, b], {}, to);
  return l.node("Mul", [l.node("MatMul", [a, b]), l.constant(Float32Array.of(alpha), [])], {}, to);
}

/** 1/sqrt(x + eps). */
function rootInverse(l: Lowering, x: string, eps: number, to: string): string {
  const shifted = l.node("Add", [x, l.constant(Float32Array.of(eps), [])]);
  return l.node("Reciprocal", [l.node("Sqrt", [shifted])], {}, to);
}

/** x - max - log Σ exp(x - max): a Log of Softmax would be -∞ for what is merely unlikely. */
function logSoftmax(l: Lowering, x: string, to: string): string {
  const over = { keepdims: int(1) };
  const centred = l.node("Sub", [x, l.node("ReduceMax", [x, l.int64(-1)], over)]);
  const total = l.node("ReduceSum", [l.node("Exp", [centred]), l.int64(-1)], over);
  return l.node("Sub", [centred, l.node("Log", [total])], {}, to);
}
