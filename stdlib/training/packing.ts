// Fits several examples into one row, so that little of a batch is padding (best fit decreasing, as TRL packs).
import type { ExampleStore, Examples } from "./examples.ts";
import type { Example } from "./padding.ts";

export interface Packed extends Example {
  /** From 1: the example that a token belongs to. */
  readonly segments: readonly number[];
  /** The token's place in its own example. */
  readonly positions: readonly number[];
}

/** Rows of several examples each. */
export function packed(examples: ExampleStore<Example>, length: number): Examples<Packed> {
  const { starts, members } = bins(examples.sizes, length);
  const membersOf = (row: number) => [...members.subarray(starts[row], starts[row + 1])];
  return {
    count: starts.length - 1,
    at: (row) => joined(membersOf(row).map((at) => examples.at(at))),
    tokens: (rows) => rows.reduce((sum, row) => sum + examples.tokens(membersOf(row)), 0),
  };
}

/**
 * The longest first, each into the fullest row that still has room. Rows are in order of their first example: row r
 * has `members[starts[r]]` up to `members[starts[r + 1]]`. Four numbers are held for an example.
 */
export function bins(
  sizes: ArrayLike<number>,
  length: number,
): { starts: Uint32Array; members: Uint32Array } {
  const rowOf = new Uint32Array(sizes.length);
  const queues = new Queues(length + 1, sizes.length);
  let rows = 0;
  for (const at of longestFirst(sizes, length)) {
    const needed = sizes[at]!;
    let room = needed;
    while (room <= length && queues.isEmpty(room)) room++;
    const row = room <= length ? queues.shift(room) : rows++;
    rowOf[at] = row;
    queues.push((room <= length ? room : length) - needed, row);
  }
  return inOrder(rowOf, rows);
}

/** Counting sort; equal ones stay in their order. */
function longestFirst(sizes: ArrayLike<number>, length: number): Uint32Array {
  const places = new Uint32Array(length + 2);
  for (let at = 0; at < sizes.length; at++) places[length - sizes[at]! + 1]!++;
  for (let room = 1; room < places.length; room++) places[room]! += places[room - 1]!;
  const order = new Uint32Array(sizes.length);
  for (let at = 0; at < sizes.length; at++) order[places[length - sizes[at]!]!++] = at;
  return order;
}

/** Rows by the room that they have left, first in, first out: linked lists, as a row is in one of them at a time. */
class Queues {
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  readonly #next: Int32Array;

  constructor(queues: number, rows: number) {
    this.#first = new Int32Array(queues).fill(-1);
    this.#last = new Int32Array(queues);
    this.#next = new Int32Array(rows);
  }

  isEmpty(queue: number): boolean {
    return this.#first[queue] === -1;
  }

  push(queue: number, row: number): void {
    this.#next[row] = -1;
    if (this.isEmpty(queue)) this.#first[queue] = row;
    else this.#next[this.#last[queue]!] = row;
    this.#last[queue] = row;
  }

  shift(queue: number): number {
    const row = this.#first[queue]!;
    this.#first[queue] = this.#next[row]!;
    return row;
  }
}

function inOrder(rowOf: Uint32Array, rows: number): { starts: Uint32Array; members: Uint32Array } {
  const numbers = new Int32Array(rows).fill(-1);
  const starts = new Uint32Array(rows + 1);
  let seen = 0;
  for (const row of rowOf) {
    if (numbers[row] === -1) numbers[row] = seen++;
    starts[numbers[row]! + 1]!++;
  }
  for (let row = 0; row < rows; row++) starts[row + 1]! += starts[row]!;
  const places = starts.slice();
  const members = new Uint32Array(rowOf.length);
  for (let at = 0; at < rowOf.length; at++) members[places[numbers[rowOf[at]!]!]!++] = at;
  return { starts, members };
}

export function joined(examples: readonly Example[]): Packed {
  return {
    ids: examples.flatMap(({ ids }) => ids),
    // Nothing predicts the first token of an example, least of all its neighbour's last.
    mask: examples.flatMap(({ mask }) => mask.map((on, t) => on && t > 0)),
    segments: examples.flatMap(({ ids }, i) => ids.map(() => i + 1)),
    positions: examples.flatMap(({ ids }) => [...ids.keys()]),
  };
}
