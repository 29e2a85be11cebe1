// Fits several examples into one row, so that little of a batch is padding (best fit decreasing, as TRL packs).
import type { Example } from "./padding.ts";

export interface Packed extends Example {
  /** From 1: the example that a token belongs to. */
  readonly segments: readonly number[];
  /** The token's place in its own example. */
  readonly positions: readonly number[];
}

/** The longest examples first, each into the fullest row that still has room; rows are in order of their first example. */
export function pack(examples: readonly Example[], length: number): Packed[] {
  const order = [...examples.keys()].sort((a, b) => size(examples[b]!) - size(examples[a]!) || a - b);
  const rows: number[][] = [];
  const byRoom: number[][] = Array.from({ length: length + 1 }, () => []);
  for (const at of order) {
    const needed = size(examples[at]!);
    let room = needed;
    while (room <= length && byRoom[room]!.length === 0) room++;
    const row = room <= length ? byRoom[room]!.shift()! : rows.push([]) - 1;
    rows[row]!.push(at);
    byRoom[(room <= length ? room : length) - needed]!.push(row);
  }
  return rows
    .map((row) => row.sort((a, b) => a - b))
    .sort((a, b) => a[0]! - b[0]!)
    .map((row) => join(row.map((at) => examples[at]!)));
}

const size = ({ ids }: Example): number => ids.length;

function join(examples: readonly Example[]): Packed {
  return {
    ids: examples.flatMap(({ ids }) => ids),
    // Nothing predicts the first token of an example, least of all its neighbour's last.
    mask: examples.flatMap(({ mask }) => mask.map((on, t) => on && t > 0)),
    segments: examples.flatMap(({ ids }, i) => ids.map(() => i + 1)),
    positions: examples.flatMap(({ ids }) => [...ids.keys()]),
  };
}
