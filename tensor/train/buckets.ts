// Lays small weights end to end, so that the optimiser's dozen passes run over a few long arrays instead of many short ones.

import type { HostTensor, Params } from "../host.ts";
import { type Shape, sizeOf } from "../shape.ts";

/** Weights that are updated as one array: one by its own name, or several laid end to end. */
export interface Bucket {
  readonly name: string;
  /** Of the whole: a matrix if its weights are matrices, because only those decay. */
  readonly shape: Shape;
  readonly members: readonly { readonly name: string; readonly shape: Shape; readonly size: number }[];
}

/** Above this size the copy of the gradient costs more than the nodes that it saves. */
const SMALL = 2 ** 17;
/** A bucket of this many elements still fits the processor's cache with its slots. */
const LARGEST = 2 ** 18;

export const alone = (name: string, shape: Shape): Bucket => ({
  name,
  shape,
  members: [{ name, shape, size: sizeOf(shape) }],
});

/** `join` false gives every weight a bucket of its own. */
export function bucketsOf(weights: Params, join: boolean): Bucket[] {
  const buckets: Bucket[] = [];
  for (const small of [
    byRank(weights, join, (rank) => rank > 1),
    byRank(weights, join, (rank) => rank <= 1),
  ]) {
    let members: Bucket["members"][number][] = [];
    const close = () => {
      const total = members.reduce((n, { size }) => n + size, 0);
      const [first] = members;
      if (members.length > 1) {
        const shape = first!.shape.length > 1 ? [1, total] : [total];
        buckets.push({ name: `*${buckets.length}`, shape, members });
      } else if (first) buckets.push(alone(first.name, first.shape));
      members = [];
    };
    for (const [name, { shape }] of small) {
      const size = sizeOf(shape);
      if (members.reduce((n, m) => n + m.size, size) > LARGEST) close();
      members.push({ name, shape, size });
    }
    close();
  }
  const joined = new Set(buckets.flatMap(({ members }) => members.map(({ name }) => name)));
  for (const [name, { shape }] of Object.entries(weights)) {
    if (!joined.has(name)) buckets.push(alone(name, shape));
  }
  return buckets;
}

const byRank = (weights: Params, join: boolean, rank: (n: number) => boolean) =>
  Object.entries(weights).filter(([, { shape }]) => join && rank(shape.length) && sizeOf(shape) <= SMALL);

/** The same numbers twice: by bucket as the optimiser sees them, and by weight, as views into the buckets. */
export interface Store {
  readonly buckets: Record<string, Float32Array>;
  readonly params: Params;
}

/** `fill` gives a weight's first numbers; without it they are zeros. */
export function store(buckets: readonly Bucket[], fill?: (name: string) => Float32Array): Store {
  const arrays: Record<string, Float32Array> = {};
  const params: Record<string, HostTensor<Float32Array>> = {};
  for (const { name: bucket, members } of buckets) {
    const whole = new Float32Array(members.reduce((n, { size }) => n + size, 0));
    arrays[bucket] = whole;
    let at = 0;
    for (const { name, shape, size } of members) {
      const data = members.length === 1 ? whole : whole.subarray(at, at + size);
      if (fill) data.set(fill(name));
      params[name] = { shape, data };
      at += size;
    }
  }
  return { buckets: arrays, params };
}
