// Matmul and the fused ops of a transformer in terms of TensorFlow.js.

import type { Tensor, Tensor3D } from "@tensorflow/tfjs-core";
import { FORBIDDEN, GELU_CUBE, GELU_SLOPE } from "../../ir/ops/fused.ts";
import { broadcastShapes, type Shape, sameShape, sizeOf } from "../../shape.ts";
import { type Kernels, takeAlong } from "./kernels.ts";
import type { Tf } from "./load.ts";

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
  matmul: (tf, { attrs, outputs }, [a, b]) => {
    const [p, q] = [a!.shape.slice(0, -2), b!.shape.slice(0, -2)];
    const batch = broadcastShapes(p, q, "matmul");
    const product = tf.matMul(stack(tf, a!, batch), stack(tf, b!, batch), attrs.transA, attrs.transB);
    return tf.reshape(scaled(tf, product, attrs.alpha), [...outputs[0]!.shape]);
  },
  softmax: (tf, _node, [x]) => tf.softmax(x!),
  logSoftmax: (tf, _node, [x]) => tf.logSoftmax(x!),
  tokenLogprob: (tf, node, [logits, ids]) => {
    const all = tf.logSoftmax(logits!);
    return [takeAlong(tf, all, ids!, node.inputs[1]!), all];
  },
  rmsnorm: (tf, { attrs }, [x, w]) => {
    const rstd = rootInverse(tf, tf.mean(tf.square(x!), -1, true), attrs.eps);
    return [tf.mul(tf.mul(x!, rstd), w!), rstd];
  },
  layernorm: (tf, { attrs }, [x, w, bias]) => {
    const mean = tf.mean(x!, -1, true);
    const centred = tf.sub(x!, mean);
    const rstd = rootInverse(tf, tf.mean(tf.square(centred), -1, true), attrs.eps);
    return [tf.add(tf.mul(tf.mul(centred, rstd), w!), bias!), mean, rstd];
  },
  rope: (tf, { attrs }, [x, positions, cos, sin]) => {
    const [B, , T, d] = x!.shape as [number, number, number, number];
    const rows = (table: Tensor) =>
      tf.reshape(tf.gather(table, positions as Tensor & { rank: 1 }, 0), [B, 1, T, d / 2]);
    const [c, s] = [rows(cos!), attrs.inverse ? tf.neg(rows(sin!)) : rows(sin!)];
    const [p, q] = tf.split(x!, 2, -1) as [Tensor, Tensor];
    return tf.concat([tf.sub(tf.mul(p, c), tf.mul(q, s)), tf.add(tf.mul(q, c), tf.mul(p, s))], -1);
  },
  attention: (tf, { attrs }, [q, k, v, bias]) => attend(tf, q!, k!, v!, bias!, attrs.scale),
  cachedAttention: (tf, { attrs }, [q, k, v, keys, values, positions, bias]) => {
    const [B, , S] = keys!.shape as [number, number, number];
    const slots = tf.range(0, S, 1, "int32");
    const at = tf.reshape(positions!, [B, 1, 1, 1]);
    const mine = tf.equal(tf.reshape(slots, [1, 1, S, 1]), at);
    const [nextKeys, nextValues] = [tf.where(mine, k!, keys!), tf.where(mine, v!, values!)];
    const behind = tf.sub(at, tf.reshape(slots, [1, 1, 1, S]));
    const seen = tf.logicalAnd(tf.greaterEqual(behind, 0), tf.less(behind, attrs.window ?? S));
    const mask = tf.where(seen, tf.zerosLike(behind), tf.fill(behind.shape, FORBIDDEN, "float32"));
    const scores = bias ? tf.add(mask, bias) : mask;
    return [attend(tf, q!, nextKeys, nextValues, scores, attrs.scale)[0]!, nextKeys, nextValues];
  },
  swiglu: (tf, _node, [gate, up]) => {
    const silu = tf.mul(gate!, tf.sigmoid(gate!));
    return [tf.mul(silu, up!), silu];
  },
  gelu: (tf, { attrs }, [x]) => {
    const gate =
      attrs.form === "erf"
        ? tf.mul(tf.add(tf.erf(tf.mul(x!, Math.SQRT1_2)), 1), 0.5)
        : tf.sigmoid(tf.mul(x!, tf.add(tf.mul(tf.square(x!), GELU_SLOPE * GELU_CUBE), GELU_SLOPE)));
    return [tf.mul(x!, gate), gate];
  },
};

/** What q attends to in k and v, and the probabilities. */
function attend(tf: Tf, q: Tensor, k: Tensor, v: Tensor, bias: Tensor, scale: number): [Tensor, Tensor] {
  const [B, H, T, d] = q.shape as [number, number, number, number];
  const [, K, S] = k.shape as [number, number, number, number];
  const rows = (H / K) * T;
  const group = (x: Tensor, n: number, last: number) => tf.reshape(x, [B * K, n, last]) as Tensor3D;
  const raw = tf.matMul(group(q, rows, d), group(k, S, d), false, true);
  const scores = tf.add(tf.reshape(scaled(tf, raw, scale), [B, H, T, S]), bias);
  const probs = tf.softmax(scores);
  const out = tf.matMul(group(probs, rows, S), group(v, S, d));
  return [tf.reshape(out, q.shape), probs];
}

/** [...,m,n] as one batch [B,m,n]; matMul itself does not stretch one operand's batch within the other's. */
function stack(tf: Tf, x: Tensor, batch: Shape): Tensor3D {
  const tail = x.shape.slice(-2) as [number, number];
  const own = x.shape.slice(0, -2);
  const full = sameShape(own, batch) ? x : tf.broadcastTo(x, [...batch, ...tail] as number[] as [number]);
  return tf.reshape(full, [sizeOf(batch), ...tail]);
}

const scaled = (tf: Tf, x: Tensor, by: number) => (by === 1 ? x : tf.mul(x, by));

const rootInverse = (tf: Tf, x: Tensor, eps: number) => tf.rsqrt(tf.add(x, eps));
