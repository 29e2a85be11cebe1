// Shape rules and short gradients of matmul and of the fused ops of a transformer.

import { check, TensorError } from "../../error.ts";
import { broadcastShapes, sameShape, showShape } from "../../shape.ts";
import type { Value } from "../graph.ts";
import { f32, type OpDefs, want, wantShape } from "../op.ts";
import { sumTo } from "./elementwise.ts";

type FusedName =
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
  | "gelu";

/** GELU's tanh form is x·σ(2u) with 2u = GELU_SLOPE · (x + GELU_CUBE · x³) (https://arxiv.org/abs/1606.08415). */
export const GELU_SLOPE = 2 * Math.sqrt(2 / Math.PI);
export const GELU_CUBE = 0.044715;

/** Added to a score to forbid a position; exp of it is exactly 0. */
export const FORBIDDEN = -1e9;

export const fused: OpDefs<FusedName> = {
  /** alpha · op(a) op(b) over the last two axes; leading axes broadcast. */
  matmul: {
    infer: ([a, b], { transA, transB }) => {
      const [sa, sb] = [a!.shape, b!.shape];
      const fail = () =>
        `matmul: ${showShape(sa)}${transA ? "ᵀ" : ""} times ${showShape(sb)}${transB ? "ᵀ" : ""}`;
      check(sa.length >= 2 && sb.length >= 2, "shape", fail);
      const [m, k] = transA ? [sa.at(-1)!, sa.at(-2)!] : [sa.at(-2)!, sa.at(-1)!];
      const [k2, n] = transB ? [sb.at(-1)!, sb.at(-2)!] : [sb.at(-2)!, sb.at(-1)!];
      check(k === k2, "shape", fail);
      return [f32([...broadcastShapes(sa.slice(0, -2), sb.slice(0, -2), "matmul"), m, n])];
    },
    vjp: (b, node, [g]) => {
      if (!g) return [];
      const { transA, transB, alpha } = node.attrs;
      const [x, y] = [node.inputs[0]!, node.inputs[1]!];
      const mm = (p: Value, q: Value, tp: boolean, tq: boolean) =>
        b.matmul(p, q, { transA: tp, transB: tq, alpha });
      const gx = transA ? mm(y, g, transB, true) : mm(g, y, false, !transB);
      const gy = transB ? mm(g, x, true, transA) : mm(x, g, !transA, false);
      return [sumTo(b, gx, x.shape), sumTo(b, gy, y.shape)];
    },
  },
  /** Over the last axis. */
  softmax: {
    infer: ([x]) => [f32(x!.shape)],
    vjp: (b, node, [g]) => {
      if (!g) return [];
      const p = node.outputs[0]!;
      return [b.mul(p, b.sub(g, b.sum(b.mul(p, g), [-1])))];
    },
  },
  logSoftmax: {
    infer: ([x]) => [f32(x!.shape)],
    vjp: (b, node, [g]) => [g && b.sub(g, b.mul(b.exp(node.outputs[0]!), b.sum(g, [-1])))],
  },
  /** logits [N,V], ids [N] → log p(ids) [N] and the whole log-softmax [N,V], both in nats. */
  tokenLogprob: {
    infer: ([logits, ids]) => {
      want(ids!, "i32", "tokenLogprob");
      wantShape(ids!, logits!.shape.slice(0, -1), "tokenLogprob ids");
      return [f32(ids!.shape), f32(logits!.shape)];
    },
    vjp: (b, node, [gPicked, gAll]) => {
      const ids = node.inputs[1]!;
      const p = b.exp(node.outputs[1]!);
      const rows = [...ids.shape, 1];
      // d/dz of log p(id) is onehot(id) - p, written as one scatter into -g·p.
      const picked = gPicked && b.addAlong(b.mul(p, b.reshape(b.neg(gPicked), rows)), ids, gPicked);
      const all = gAll && b.sub(gAll, b.mul(p, b.sum(gAll, [-1])));
      return [picked && all ? b.add(picked, all) : (picked ?? all), undefined];
    },
  },
  /** x [N,D], weight [D] → x · rstd · weight [N,D] and rstd = 1/sqrt(mean x² + eps) [N,1]. */
  rmsnorm: {
    infer: ([x, w]) => {
      check(x!.shape.length === 2, "shape", () => `rmsnorm: x is ${showShape(x!.shape)}, wants [N,D]`);
      wantShape(w!, [x!.shape[1]!], "rmsnorm weight");
      return [f32(x!.shape), f32([x!.shape[0]!, 1])];
    },
    vjp: (b, node, [g, gRstd]) => {
      check(!gRstd, "not-differentiable", () => "rmsnorm: no gradient through the second output");
      if (!g) return [];
      const [x, w] = [node.inputs[0]!, node.inputs[1]!];
      const rstd = node.outputs[1]!;
      const d = w.shape[0]!;
      // With t = g∘x: dw = rstdᵀ t and the row term Σ g·w·x = t w, so both sums are matrix-vector products.
      const t = b.mul(g, x);
      const dw = b.reshape(b.matmul(rstd, t, { transA: true }), [d]);
      const dot = b.matmul(t, b.reshape(w, [d, 1]));
      const pull = b.mul(b.mul(dot, 1 / d), b.mul(rstd, b.mul(rstd, rstd)));
      const dx = b.sub(b.mul(b.mul(g, w), rstd), b.mul(x, pull));
      return [dx, dw];
    },
  },
  /** x [N,D], weight and bias [D] → (x - mean) · rstd · weight + bias [N,D], mean [N,1] and rstd = 1/sqrt(var + eps) [N,1]. */
  layernorm: {
    infer: ([x, w, bias]) => {
      check(x!.shape.length === 2, "shape", () => `layernorm: x is ${showShape(x!.shape)}, wants [N,D]`);
      const [N, D] = x!.shape as [number, number];
      wantShape(w!, [D], "layernorm weight");
      wantShape(bias!, [D], "layernorm bias");
      return [f32(x!.shape), f32([N, 1]), f32([N, 1])];
    },
    vjp: (b, node, [g, gMean, gRstd]) => {
      check(
        !gMean && !gRstd,
        "not-differentiable",
        () => "layernorm: no gradient through the mean or the spread",
      );
      if (!g) return [];
      const [x, w] = [node.inputs[0]!, node.inputs[1]!];
      const [mean, rstd] = [node.outputs[1]!, node.outputs[2]!];
      const [N, D] = x.shape as [number, number];
      const normal = b.mul(b.sub(x, mean), rstd);
      const t = b.mul(g, normal);
      const ones = b.expand(b.scalar(1), [N, 1]);
      // Sums over rows and over columns as matrix-vector products, as in rmsnorm.
      const dw = b.reshape(b.matmul(t, ones, { transA: true }), [D]);
      const dbias = b.reshape(b.matmul(g, ones, { transA: true }), [D]);
      const column = b.reshape(w, [D, 1]);
      const level = b.matmul(g, column, { alpha: 1 / D });
      const tilt = b.matmul(t, column, { alpha: 1 / D });
      const dx = b.mul(b.sub(b.sub(b.mul(g, w), level), b.mul(normal, tilt)), rstd);
      return [dx, dw, dbias];
    },
  },
  /**
   * Rotary position embedding in the rotate-half form of Hugging Face (https://arxiv.org/abs/2104.09864).
   * x [B,H,T,d], positions [B,T], cos and sin [P,d/2] → [B,H,T,d]. `inverse` turns the other way.
   */
  rope: {
    infer: ([x, positions, cos, sin]) => {
      want(positions!, "i32", "rope positions");
      check(x!.shape.length === 4, "shape", () => `rope: x is ${showShape(x!.shape)}, wants [B,H,T,d]`);
      const [B, , T, d] = x!.shape as [number, number, number, number];
      wantShape(positions!, [B, T], "rope positions");
      for (const table of [cos!, sin!]) wantShape(table, [cos!.shape[0]!, d / 2], "rope table");
      return [f32(x!.shape)];
    },
    vjp: (b, node, [g]) => {
      const [, positions, cos, sin] = node.inputs;
      return [g && b.rope(g, positions!, cos!, sin!, !node.attrs.inverse)];
    },
  },
  /**
   * softmax(scale · q kᵀ + bias) v with grouped queries: head h reads key-value head floor(h / (H/K)).
   * q [B,H,T,d], k and v [B,K,S,d], bias broadcasts to [B,H,T,S] → out [B,H,T,d], probs [B,H,T,S].
   */
  attention: {
    infer: ([q, k, v, bias]) => {
      const fail = () =>
        `attention: q ${showShape(q!.shape)}, k ${showShape(k!.shape)}, v ${showShape(v!.shape)}`;
      check(q!.shape.length === 4 && k!.shape.length === 4 && sameShape(k!.shape, v!.shape), "shape", fail);
      const [B, H, T, d] = q!.shape as [number, number, number, number];
      const [B2, K, S, d2] = k!.shape as [number, number, number, number];
      check(B === B2 && d === d2 && H % K === 0, "shape", fail);
      const probs = [B, H, T, S];
      check(sameShape(broadcastShapes(bias!.shape, probs, "attention bias"), probs), "shape", fail);
      return [f32(q!.shape), f32(probs)];
    },
    vjp: (b, node, [g, gProbs]) => {
      check(!gProbs, "not-differentiable", () => "attention: no gradient through the probabilities");
      if (!g) return [];
      const [q, k, v, bias] = node.inputs as [Value, Value, Value, Value];
      const [out, probs] = [node.outputs[0]!, node.outputs[1]!];
      const [B, H, T, d] = q.shape as [number, number, number, number];
      const [, K, S] = k.shape as [number, number, number, number];
      const rows = (H / K) * T; // the queries of one group share keys, so they stack as rows
      const alpha = node.attrs.scale;
      const group = (x: Value, last: number) => b.reshape(x, [B, K, rows, last]);
      const [gG, pG] = [group(g, d), group(probs, S)];
      const swap = [0, 1, 3, 2];
      // Transposed results: the kernel reorders its first operand, and gG and q are the small ones.
      const dv = b.transpose(b.matmul(gG, pG, { transA: true }), swap);
      const dp = b.matmul(gG, v, { transB: true });
      // Σ_s p·dp = Σ_d g·out, which is d/S times smaller.
      const dot = b.sum(b.mul(g, out), [-1]);
      const ds = b.mul(probs, b.sub(b.reshape(dp, [B, H, T, S]), dot));
      const dsG = group(ds, S);
      const dq = b.reshape(b.matmul(dsG, k, { alpha }), q.shape);
      const dk = b.transpose(b.matmul(group(q, d), dsG, { transA: true, alpha }), swap);
      return [dq, dk, dv, sumTo(b, ds, bias.shape)];
    },
  },
  /**
   * One token per row at positions [B], against a cache that takes it up: q [B,H,1,d], own k and v [B,K,1,d], keys and
   * values [B,K,S,d], and scores to add that broadcast to [B,H,1,S], if any → out [B,H,1,d], keys and values with row b's
   * own at slot positions[b]. What later slots hold is neither read nor promised to stay.
   */
  cachedAttention: {
    infer: ([q, k, v, keys, values, positions, bias]) => {
      const fail = () =>
        `cachedAttention: q ${showShape(q!.shape)}, k ${showShape(k!.shape)}, keys ${showShape(keys!.shape)}`;
      check(q!.shape.length === 4 && keys!.shape.length === 4, "shape", fail);
      const [B, H, , d] = q!.shape as [number, number, number, number];
      const [, K, S] = keys!.shape as [number, number, number];
      check(H % K === 0, "shape", fail);
      wantShape(q!, [B, H, 1, d], "cachedAttention q");
      for (const own of [k!, v!]) wantShape(own, [B, K, 1, d], "cachedAttention own");
      for (const cache of [keys!, values!]) wantShape(cache, [B, K, S, d], "cachedAttention cache");
      wantShape(positions!, [B], "cachedAttention positions");
      want(positions!, "i32", "cachedAttention positions");
      const scores = [B, H, 1, S];
      const fits = !bias || sameShape(broadcastShapes(bias.shape, scores, "cachedAttention bias"), scores);
      check(fits, "shape", fail);
      return [f32(q!.shape), f32(keys!.shape), f32(values!.shape)];
    },
    vjp: () => {
      throw new TensorError("not-differentiable", "cachedAttention: decoding has no gradient");
    },
  },
  /** silu(gate) · up and silu(gate). */
  swiglu: {
    infer: ([gate, up]) => {
      wantShape(up!, gate!.shape, "swiglu up");
      return [f32(gate!.shape), f32(gate!.shape)];
    },
    vjp: (b, node, [g, gSilu]) => {
      check(!gSilu, "not-differentiable", () => "swiglu: no gradient through the second output");
      if (!g) return [];
      const [gate, up] = [node.inputs[0]!, node.inputs[1]!];
      const [y, silu] = [node.outputs[0]!, node.outputs[1]!];
      // With σ = σ(gate): up·σ·(1 + gate - silu) = y + σ·(up - y), one pass less.
      const slope = b.add(b.mul(b.sub(up, y), b.sigmoid(gate)), y);
      return [b.mul(g, slope), b.mul(g, silu)];
    },
  },
  /** x · gate and the gate: Φ(x), or σ(2u) in the tanh form. */
  gelu: {
    infer: ([x]) => [f32(x!.shape), f32(x!.shape)],
    vjp: (b, node, [g, gGate]) => {
      check(!gGate, "not-differentiable", () => "gelu: no gradient through the second output");
      if (!g) return [];
      const x = node.inputs[0]!;
      const gate = node.outputs[1]!;
      const square = b.mul(x, x);
      // d gate/dx is the normal density, or σ(1-σ) times the slope of 2u.
      const slope =
        node.attrs.form === "erf"
          ? b.mul(b.exp(b.mul(square, -0.5)), 1 / Math.sqrt(2 * Math.PI))
          : b.mul(b.mul(gate, b.sub(1, gate)), b.add(b.mul(square, 3 * GELU_CUBE * GELU_SLOPE), GELU_SLOPE));
      return [b.mul(g, b.add(gate, b.mul(x, slope)))];
    },
  },
};
