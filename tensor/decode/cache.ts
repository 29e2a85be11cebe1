// The key-value cache of a batch: persistent host arrays that the step graph reads and writes in place.

import type { Arrays } from "../backends/backend.ts";
import type { CacheEntry } from "../models/architecture.ts";

/** Slots of a row, by what they hold. */
export interface Slots {
  readonly own: number;
  /** Of the encoder's states; 0 without an encoder. */
  readonly source: number;
}

export class KvCache {
  /** By entry name, each [B, heads, slots, width]. */
  readonly arrays: Record<string, Float32Array> = {};
  readonly #entries: readonly CacheEntry[];
  readonly #slots: Slots;

  constructor(entries: readonly CacheEntry[], batch: number, slots: Slots) {
    this.#entries = entries;
    this.#slots = slots;
    for (const { name, heads, width, slots: kind } of entries) {
      this.arrays[name] = new Float32Array(batch * heads * slots[kind] * width);
    }
  }

  /**
   * Takes row from[i] of `source` (arrays of `batch` rows [·, heads, T, width], T at most the slots) over as row
   * rows[i], at slots 0..T-1.
   */
  fill(
    source: Readonly<Arrays>,
    batch: number,
    rows: readonly number[],
    from: readonly number[] = rows.map((_, i) => i),
  ): void {
    for (const { name, heads, width, slots: kind } of this.#entries) {
      const array = this.arrays[name]!;
      const given = source[name] as Float32Array;
      const size = given.length / (batch * heads); // T·width
      const room = this.#slots[kind] * width;
      rows.forEach((row, i) => {
        for (let h = 0; h < heads; h++) {
          const start = (from[i]! * heads + h) * size;
          const to = (row * heads + h) * room;
          array.set(given.subarray(start, start + size), to);
          // Own slots are overwritten before anything may read them; what an earlier source left is not.
          if (kind === "source") array.fill(0, to + size, to + room);
        }
      });
    }
  }

  /** What a step takes up tokens into: the entries with slots of their own. */
  get own(): Arrays {
    const own = this.#entries.filter(({ slots }) => slots === "own");
    return Object.fromEntries(own.map(({ name }) => [name, this.arrays[name]!]));
  }

  /** A cache of `width` rows, first these of this one's `batch` in this order, with as many slots or more. */
  keep(rows: readonly number[], batch: number, width: number, slots: Slots): KvCache {
    const next = new KvCache(this.#entries, width, slots);
    next.fill(
      this.arrays,
      batch,
      rows.map((_, i) => i),
      rows,
    );
    return next;
  }
}
