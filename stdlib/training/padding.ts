// Turns examples of different lengths into arrays of one shape; few shapes, because each is compiled once.
import { type HostTensor, tensor } from "../../tensor/index.ts";

/** Token ids with a mark on those that the loss or the sum of log-probs counts. */
export interface Example {
  readonly ids: readonly number[];
  readonly mask: readonly boolean[];
}

/**
 * Lengths are rounded up to 16, 32, 48, 64, 96, 128, 192, 256, … (powers of two and their halves between), so that a
 * run compiles a handful of shapes and a row is a sixth longer than it needs to be on average.
 */
export function paddedLength(longest: number, limit: number = Number.POSITIVE_INFINITY): number {
  const whole = 2 ** Math.ceil(Math.log2(Math.max(16, longest)));
  const fitting = whole >= 64 && longest <= 0.75 * whole ? 0.75 * whole : whole;
  return Math.max(longest, Math.min(fitting, limit));
}

/**
 * Right-padded: ids int32 [rows,T] with zeros after the end, mask float32 [rows,T]. T is the longest
 * example, rounded up, though not beyond `limit`; missing examples are rows of zeros that nothing counts.
 */
export function pad(
  examples: readonly Example[],
  rows: number = examples.length,
  limit: number = Number.POSITIVE_INFINITY,
): { ids: HostTensor<Int32Array>; mask: HostTensor<Float32Array> } {
  const longest = Math.max(2, ...examples.map(({ ids }) => ids.length));
  const length = paddedLength(longest, limit);
  const ids = new Int32Array(rows * length);
  const mask = new Float32Array(rows * length);
  examples.forEach((example, row) => {
    ids.set(example.ids, row * length);
    example.mask.forEach((on, t) => {
      if (on) mask[row * length + t] = 1;
    });
  });
  return { ids: tensor(ids, [rows, length]), mask: tensor(mask, [rows, length]) };
}

/** The arrays that tell packed rows apart, [rows,T] each; padding is a segment of its own, number 0. */
export function packingArrays(
  examples: readonly { readonly segments: readonly number[]; readonly positions: readonly number[] }[],
  [rows, length]: readonly [number, number],
): { segment_ids: HostTensor<Int32Array>; position_ids: HostTensor<Int32Array> } {
  const [segments, positions] = [new Int32Array(rows * length), new Int32Array(rows * length)];
  examples.forEach((example, row) => {
    segments.set(example.segments, row * length);
    positions.set(example.positions, row * length);
  });
  return { segment_ids: tensor(segments, [rows, length]), position_ids: tensor(positions, [rows, length]) };
}

/** Supervised tokens; the first has no prediction and never counts. */
export function supervised({ mask }: Example): number {
  return mask.reduce((n, on, t) => (on && t > 0 ? n + 1 : n), 0);
}
