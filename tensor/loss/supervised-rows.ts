// Lists the predictions that a mask supervises, so that the head of the model is computed for these alone.

import { type HostTensor, tensor } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

export interface SupervisedRows {
  /** Positions b·T + t-1 of the hidden states that predict the supervised tokens (b,t), [R]. */
  readonly rows: HostTensor<Int32Array>;
  /** The tokens themselves, [R]. */
  readonly targets: HostTensor<Int32Array>;
  /** The mask's weight of each, 0 for padding, [R]. */
  readonly weights: HostTensor<Float32Array>;
  /** The sequence b that each belongs to, [R]. */
  readonly sequence: HostTensor<Int32Array>;
}

/** ids [B,T] and mask [B,T] → the supervised predictions, padded to a multiple of `bucket` so that few shapes occur. */
export function supervisedRows(
  ids: HostTensor<Int32Array>,
  mask: HostTensor<Float32Array>,
  bucket = 256,
): SupervisedRows {
  const T = ids.shape[1]!;
  const at = [...mask.data.keys()].filter((i) => mask.data[i] !== 0 && i % T > 0);
  const R = Math.max(1, Math.ceil(at.length / bucket)) * bucket;
  const ints = (f: (i: number) => number) => {
    const data = new Int32Array(R);
    at.forEach((i, r) => {
      data[r] = f(i);
    });
    return tensor(data, [R]);
  };
  const weights = new Float32Array(R);
  at.forEach((i, r) => {
    weights[r] = mask.data[i]!;
  });
  return {
    rows: ints((i) => i - 1),
    targets: ints((i) => ids.data[i]!),
    weights: tensor(weights, [R]),
    sequence: ints((i) => Math.floor(i / T)),
  };
}

/** Per-token values [R] with weights [R] and their sequence indices [R] → weighted sums per sequence, [B]. */
export function sumPerSequence(b: Builder, values: Value, weights: Value, sequence: Value, B: number): Value {
  const column = b.reshape(b.mul(values, weights), [values.shape[0]!, 1]);
  return b.reshape(b.scatterRows(column, sequence, B), [B]);
}
