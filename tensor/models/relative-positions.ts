// T5's relative positions: a learned score per head for each bucket of distances between query and key.

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

export interface Buckets {
  readonly buckets: number;
  /** From here on all distances share the last bucket. */
  readonly maxDistance: number;
  /** Keys after the query have the upper half of the buckets; otherwise they count as distance 0. */
  readonly both: boolean;
}

/** The bucket of key position minus query position: near distances one by one, far ones in logarithmic steps. */
export function bucketOf(relative: number, { buckets, maxDistance, both }: Buckets): number {
  const count = both ? buckets / 2 : buckets;
  const offset = both && relative > 0 ? count : 0;
  const distance = both ? Math.abs(relative) : Math.max(0, -relative);
  const exact = count / 2;
  if (distance < exact) return offset + distance;
  // Rounded to fp32 at every step as torch does: powers of two lie on the edges of buckets.
  const { fround, log } = Math;
  const share = fround(fround(log(fround(distance / exact))) / fround(log(maxDistance / exact)));
  return offset + Math.min(count - 1, exact + Math.floor(fround(share * (count - exact))));
}

/** weight [buckets,H] → scores to add for T queries over as many keys, [1,H,T,T]. */
export function relativeBias(b: Builder, weight: Value, options: Buckets, T: number): Value {
  const ids = b.integers(
    Array.from({ length: T * T }, (_, at) => bucketOf((at % T) - Math.floor(at / T), options)),
    [T * T],
  );
  const H = weight.shape[1]!;
  return b.transpose(b.reshape(b.gatherRows(weight, ids), [1, T, T, H]), [0, 3, 1, 2]);
}

/** weight [buckets,H] → scores for keys 0..S-1 positions back, [S,H]. */
export function biasByDistance(b: Builder, weight: Value, options: Buckets, S: number): Value {
  const ids = b.integers(
    Array.from({ length: S }, (_, distance) => bucketOf(-distance, options)),
    [S],
  );
  return b.gatherRows(weight, ids);
}

/** Scores for the slots 0..S-1 of queries at positions [B] < S, [B,H,1,S]; those of later slots are of no use. */
export function biasBySlot(b: Builder, byDistance: Value, positions: Value, S: number): Value {
  const B = positions.shape[0]!;
  const slots = b.constant(
    Array.from({ length: S }, (_, i) => i),
    [1, S],
  );
  const behind = b.sub(b.reshape(b.cast(positions, "f32"), [B, 1]), slots);
  const rows = b.gatherRows(byDistance, b.cast(b.maximum(behind, 0), "i32"));
  return b.reshape(b.transpose(rows, [0, 2, 1]), [B, byDistance.shape[1]!, 1, S]);
}
