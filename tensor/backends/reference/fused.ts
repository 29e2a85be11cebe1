// The meaning of matmul and of the fused ops, written as their definitions.

import { broadcastStrides, stridesOf } from "../../shape.ts";
import { dot, mapInto, type NdArray, rowsOf, walk } from "./array.ts";
import { erf } from "./erf.ts";
import type { Kernels } from "./kernels.ts";

export const fusedKernels: Kernels<
  | "matmul"
  | "softmax"
  | "logSoftmax"
  | "tokenLogprob"
  | "rmsnorm"
  | "layernorm"
  | "rope"
  | "attention"
  | "cachedAttention"
  | "swiglu"
  | "gelu"
> = {
  matmul: ({ attrs, outputs }, [a, b], alloc) => {
    const out = alloc(outputs[0]!.shape);
    const { transA, transB, alpha } = attrs;
    const K = a!.shape.at(transA ? -2 : -1)!;
    const batch = out.shape.slice(0, -2);
    const [m, n] = [out.shape.at(-2)!, out.shape.at(-1)!];
    const read = (x: NdArray, trans: boolean) => {
      const [p, q] = [x.shape.at(-2)!, x.shape.at(-1)!];
      const lead = broadcastStrides(x.shape.slice(0, -2), batch);
      return (at: number[], i: number, j: number) =>
        x.data[dot(at, lead) * p * q + (trans ? j * q + i : i * q + j)]!;
    };
    const [readA, readB] = [read(a!, transA), read(b!, transB)];
    walk(batch, (group, at) => {
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let total = 0;
          for (let k = 0; k < K; k++) total += readA(at, i, k) * readB(at, k, j);
          out.data[(group * m + i) * n + j] = alpha * total;
        }
      }
    });
    return [out];
  },
  softmax: ({ outputs }, [x], alloc) => {
    const out = alloc(outputs[0]!.shape);
    out.data.set(logSoftmax(x!).map(Math.exp));
    return [out];
  },
  logSoftmax: ({ outputs }, [x], alloc) => {
    const out = alloc(outputs[0]!.shape);
    out.data.set(logSoftmax(x!));
    return [out];
  },
  tokenLogprob: ({ outputs }, [logits, ids], alloc) => {
    const [picked, all] = [alloc(outputs[0]!.shape), alloc(outputs[1]!.shape)];
    const [, V] = rowsOf(all.shape);
    const exact = logSoftmax(logits!);
    all.data.set(exact);
    ids!.data.forEach((id, i) => {
      picked.data[i] = exact[i * V + id]!;
    });
    return [picked, all];
  },
  rmsnorm: ({ attrs }, [x, w], alloc) => {
    const [N, D] = rowsOf(x!.shape);
    const [y, rstd] = [alloc(x!.shape), alloc([N, 1])];
    for (let i = 0; i < N; i++) {
      let squares = 0;
      for (let j = 0; j < D; j++) squares += x!.data[i * D + j]! ** 2;
      const r = 1 / Math.sqrt(squares / D + attrs.eps);
      rstd.data[i] = r;
      for (let j = 0; j < D; j++) y.data[i * D + j] = x!.data[i * D + j]! * r * w!.data[j]!;
    }
    return [y, rstd];
  },
  layernorm: ({ attrs }, [x, w, bias], alloc) => {
    const [N, D] = rowsOf(x!.shape);
    const [y, mean, rstd] = [alloc(x!.shape), alloc([N, 1]), alloc([N, 1])];
    for (let i = 0; i < N; i++) {
      let total = 0;
      for (let j = 0; j < D; j++) total += x!.data[i * D + j]!;
      const m = total / D;
      let squares = 0;
      for (let j = 0; j < D; j++) squares += (x!.data[i * D + j]! - m) ** 2;
      const r = 1 / Math.sqrt(squares / D + attrs.eps);
      mean.data[i] = m;
      rstd.data[i] = r;
      for (let j = 0; j < D; j++)
        y.data[i * D + j] = (x!.data[i * D + j]! - m) * r * w!.data[j]! + bias!.data[j]!;
    }
    return [y, mean, rstd];
  },
  rope: ({ attrs }, [x, positions, cos, sin], alloc) => {
    const out = alloc(x!.shape);
    const [, , T, d] = x!.shape as [number, number, number, number];
    const half = d / 2;
    walk(x!.shape.slice(0, 3), (row, [b, , t]) => {
      const position = positions!.data[b! * T + t!]!;
      for (let j = 0; j < half; j++) {
        const c = cos!.data[position * half + j]!;
        const s = sin!.data[position * half + j]! * (attrs.inverse ? -1 : 1);
        const [p, q] = [x!.data[row * d + j]!, x!.data[row * d + half + j]!];
        out.data[row * d + j] = p * c - q * s;
        out.data[row * d + half + j] = q * c + p * s;
      }
    });
    return [out];
  },
  attention: ({ attrs, outputs }, [q, k, v, bias], alloc) => {
    const [out, probs] = [alloc(outputs[0]!.shape), alloc(outputs[1]!.shape)];
    const [, H, , S] = probs.shape as [number, number, number, number];
    const [, K, , d] = k!.shape as [number, number, number, number];
    const biasStrides = broadcastStrides(bias!.shape, probs.shape);
    const kvStrides = stridesOf(k!.shape);
    walk(probs.shape.slice(0, 3), (row, [b, h, t]) => {
      const head = b! * kvStrides[0]! + Math.floor(h! / (H / K)) * kvStrides[1]!;
      const scores = Array.from({ length: S }, (_, s) => {
        let total = 0;
        for (let j = 0; j < d; j++) total += q!.data[row * d + j]! * k!.data[head + s * d + j]!;
        return total * attrs.scale + bias!.data[dot([b!, h!, t!, s], biasStrides)]!;
      });
      const exact = logSoftmax({ shape: [S], dtype: "f32", data: Float64Array.from(scores) }).map(Math.exp);
      probs.data.set(exact, row * S);
      for (let j = 0; j < d; j++) {
        let total = 0;
        for (let s = 0; s < S; s++) total += exact[s]! * v!.data[head + s * d + j]!;
        out.data[row * d + j] = total;
      }
    });
    return [out, probs];
  },
  cachedAttention: ({ attrs, outputs }, [q, k, v, keys, values, positions, bias], alloc) => {
    const [out, nextKeys, nextValues] = outputs.map((v) => alloc(v.shape)) as [NdArray, NdArray, NdArray];
    const [B, H, , d] = q!.shape as [number, number, number, number];
    const [, K, S] = keys!.shape as [number, number, number];
    const at = (row: number, head: number, slot: number) => ((row * K + head) * S + slot) * d;
    for (const [next, cache, own] of [
      [nextKeys, keys!, k!],
      [nextValues, values!, v!],
    ] as const) {
      next.data.set(cache.data);
      walk([B, K], (block, [row, head]) => {
        const vector = own.data.subarray(block * d, (block + 1) * d);
        next.data.set(vector, at(row!, head!, positions!.data[row!]!));
      });
    }
    const biasStrides = bias && broadcastStrides(bias.shape, [B, H, 1, S]);
    walk([B, H], (block, [row, head]) => {
      const last = positions!.data[row!]!;
      const first = Math.max(0, last + 1 - (attrs.window ?? S));
      const group = Math.floor(head! / (H / K));
      const scores = Array.from({ length: last + 1 - first }, (_, i) => {
        let total = 0;
        for (let j = 0; j < d; j++)
          total += q!.data[block * d + j]! * nextKeys.data[at(row!, group, first + i) + j]!;
        const added = bias ? bias.data[dot([row!, head!, 0, first + i], biasStrides!)]! : 0;
        return total * attrs.scale + added;
      });
      const shape = [scores.length];
      const probs = logSoftmax({ shape, dtype: "f32", data: Float64Array.from(scores) }).map(Math.exp);
      for (let j = 0; j < d; j++) {
        let total = 0;
        probs.forEach((p, i) => {
          total += p * nextValues.data[at(row!, group, first + i) + j]!;
        });
        out.data[block * d + j] = total;
      }
    });
    return [out, nextKeys, nextValues];
  },
  swiglu: (_node, [gate, up], alloc) => {
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    return [
      mapInto(alloc(gate!.shape), [gate!, up!], (g, u) => g * sigmoid(g) * u),
      mapInto(alloc(gate!.shape), [gate!], (g) => g * sigmoid(g)),
    ];
  },
  gelu: ({ attrs }, [x], alloc) => {
    const gate =
      attrs.form === "erf"
        ? (v: number) => (1 + erf(v / Math.SQRT2)) / 2
        : (v: number) => (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))) / 2;
    return [mapInto(alloc(x!.shape), [x!], (v) => v * gate(v)), mapInto(alloc(x!.shape), [x!], gate)];
  },
};

/** log softmax over the last axis in float64. */
function logSoftmax(x: NdArray): Float64Array {
  const out = new Float64Array(x.data.length);
  const [rows, width] = rowsOf(x.shape);
  for (let r = 0; r < rows; r++) {
    let top = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < width; j++) top = Math.max(top, x.data[r * width + j]!);
    let total = 0;
    for (let j = 0; j < width; j++) total += Math.exp(x.data[r * width + j]! - top);
    const lse = top + Math.log(total);
    for (let j = 0; j < width; j++) out[r * width + j] = x.data[r * width + j]! - lse;
  }
  return out;
}
