// Every op of the graph in terms of TensorFlow.js, for any of its backends.

import type { Tensor } from "@tensorflow/tfjs-core";
import type { DType, NodeOf, OpName, Value } from "../../ir/graph.ts";
import { sizeOf } from "../../shape.ts";
import { fusedKernels } from "./fused.ts";
import type { Tf } from "./load.ts";

/** Returns new tensors, one per output; whatever else it makes is freed for it. */
export type Kernel<K extends OpName> = (
  tf: Tf,
  node: NodeOf<K>,
  inputs: readonly Tensor[],
) => Tensor | Tensor[];
export type Kernels<K extends OpName> = { readonly [P in K]: Kernel<P> };

export const tfType = { f32: "float32", i32: "int32", bool: "bool" } as const satisfies Record<DType, string>;

const unary =
  (f: (tf: Tf, x: Tensor) => Tensor): Kernel<OpName> =>
  (tf, _node, [x]) =>
    f(tf, x!);
const binary =
  (f: (tf: Tf, x: Tensor, y: Tensor) => Tensor): Kernel<OpName> =>
  (tf, _node, [x, y]) =>
    f(tf, x!, y!);

export const same = unary((tf, x) => tf.clone(x));

export const kernels: Kernels<OpName> = {
  input: () => [],
  constant: () => [],
  neg: unary((tf, x) => tf.neg(x)),
  exp: unary((tf, x) => tf.exp(x)),
  log: unary((tf, x) => tf.log(x)),
  sqrt: unary((tf, x) => tf.sqrt(x)),
  reciprocal: unary((tf, x) => tf.reciprocal(x)),
  abs: unary((tf, x) => tf.abs(x)),
  sign: unary((tf, x) => tf.sign(x)),
  sigmoid: unary((tf, x) => tf.sigmoid(x)),
  tanh: unary((tf, x) => tf.tanh(x)),
  erf: unary((tf, x) => tf.erf(x)),
  relu: unary((tf, x) => tf.relu(x)),
  softplus: unary((tf, x) => tf.softplus(x)),
  silu: unary((tf, x) => tf.mul(x, tf.sigmoid(x))),
  cast: (tf, { attrs }, [x]) => tf.cast(x!, tfType[attrs.to]),
  stopGradient: same,
  barrier: same,
  add: binary((tf, x, y) => tf.add(x, y)),
  sub: binary((tf, x, y) => tf.sub(x, y)),
  mul: binary((tf, x, y) => tf.mul(x, y)),
  div: binary((tf, x, y) => tf.div(x, y)),
  maximum: binary((tf, x, y) => tf.maximum(x, y)),
  minimum: binary((tf, x, y) => tf.minimum(x, y)),
  equal: binary((tf, x, y) => tf.equal(x, y)),
  greater: binary((tf, x, y) => tf.greater(x, y)),
  greaterEqual: binary((tf, x, y) => tf.greaterEqual(x, y)),
  select: (tf, _node, [c, x, y]) => tf.where(c!, x!, y!),
  sum: (tf, { attrs }, [x]) => tf.sum(x!, [...attrs.axes], true),
  max: (tf, { attrs }, [x]) => tf.max(x!, [...attrs.axes], true),
  argmax: unary((tf, x) => tf.argMax(x, -1)),
  reshape: (tf, { attrs }, [x]) => tf.reshape(x!, [...attrs.shape]),
  transpose: (tf, { attrs }, [x]) => tf.transpose(x!, [...attrs.perm]),
  expand: (tf, { attrs }, [x]) => tf.broadcastTo(x!, [...attrs.shape] as [number]),
  slice: (tf, { attrs, outputs }, [x]) => {
    const begin = outputs[0]!.shape.map((_, i) => (i === attrs.axis ? attrs.start : 0));
    return tf.slice(x!, begin, [...outputs[0]!.shape]);
  },
  pad: (tf, { attrs }, [x]) =>
    tf.pad(
      x!,
      x!.shape.map((_, i) => (i === attrs.axis ? [attrs.before, attrs.after] : [0, 0])),
    ),
  concat: (tf, { attrs }, inputs) =>
    inputs.length === 1 ? tf.clone(inputs[0]!) : tf.concat([...inputs], attrs.axis),
  split: (tf, { attrs }, [x]) => tf.split(x!, [...attrs.sizes], attrs.axis),
  gatherRows: (tf, _node, [table, ids]) => tf.gather(table!, ids as Tensor & { rank: 1 }, 0),
  scatterRows: (tf, { attrs, outputs }, [updates, ids]) => {
    const D = outputs[0]!.shape[1]!;
    const N = ids!.size;
    return tf.scatterND(tf.reshape(ids!, [N, 1]), tf.reshape(updates!, [N, D]), [attrs.rows, D]);
  },
  takeAlong: (tf, node, [x, ids]) => takeAlong(tf, x!, ids!, node.inputs[1]!),
  addAlong: (tf, _node, [base, ids, updates]) => {
    const spread = tf.scatterND(flatIndex(tf, base!, ids!), tf.reshape(updates!, [-1]), [base!.size]);
    return tf.add(base!, tf.reshape(spread, base!.shape));
  },
  ...fusedKernels,
};

/** x [...,V] at ids [...] along the last axis. */
export function takeAlong(tf: Tf, x: Tensor, ids: Tensor, { shape }: Value): Tensor {
  const flat = tf.reshape(flatIndex(tf, x, ids), [sizeOf(shape)]);
  return tf.reshape(tf.gather(tf.reshape(x, [-1]), flat as Tensor & { rank: 1 }), [...shape]);
}

/** Where ids [...] point in the flattened x [...,V]: [N,1]. */
function flatIndex(tf: Tf, x: Tensor, ids: Tensor): Tensor {
  const starts = tf.range(0, x.size, x.shape.at(-1)!, "int32");
  return tf.reshape(tf.add(tf.reshape(ids, [ids.size]), starts), [ids.size, 1]);
}
