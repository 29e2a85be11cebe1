// The key-value cache of a batch: persistent host arrays that the step graph reads without copies.

import type { Arrays } from "../backends/backend.ts";
import { dimensions, type LlamaConfig } from "../models/config.ts";

export class KvCache {
  /** k0 v0 k1 v1 …, each [B, kvHeads, S, headDim]. */
  readonly arrays: Record<string, Float32Array> = {};
  readonly #config: LlamaConfig;
  readonly #slots: number;
  readonly #heads: number;
  readonly #width: number;

  constructor(config: LlamaConfig, batch: number, slots: number) {
    const { kvHeads, headDim } = dimensions(config);
    this.#config = config;
    this.#slots = slots;
    this.#heads = kvHeads;
    this.#width = headDim;
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const size = batch * kvHeads * slots * headDim;
      this.arrays[`k${i}`] = new Float32Array(size);
      this.arrays[`v${i}`] = new Float32Array(size);
    }
  }

  /** Takes row i of `source` (arrays [·, kvHeads, T, headDim], T ≤ S) over as row rows[i], at slots 0..T-1. */
  fill(
    source: Readonly<Arrays>,
    T: number,
    rows: readonly number[],
    from: readonly number[] = rows.map((_, i) => i),
  ): void {
    const [heads, width] = [this.#heads, this.#width];
    for (const [name, array] of Object.entries(this.arrays)) {
      const given = source[name] as Float32Array;
      rows.forEach((row, i) => {
        for (let h = 0; h < heads; h++) {
          const start = (from[i]! * heads + h) * T * width;
          array.set(given.subarray(start, start + T * width), (row * heads + h) * this.#slots * width);
        }
      });
    }
  }

  /** Writes one token's slices [B, kvHeads, 1, headDim], row r at slot positions[r]. */
  write(slices: Readonly<Arrays>, positions: Int32Array): void {
    const [heads, width] = [this.#heads, this.#width];
    for (const [name, array] of Object.entries(this.arrays)) {
      const source = slices[name] as Float32Array;
      for (let block = 0; block < positions.length * heads; block++) {
        const to = (block * this.#slots + positions[Math.floor(block / heads)]!) * width;
        const from = block * width;
        for (let j = 0; j < width; j++) array[to + j] = source[from + j]!;
      }
    }
  }

  /** A smaller cache of only these rows, in this order. */
  keep(rows: readonly number[], batch: number): KvCache {
    const next = new KvCache(this.#config, batch, this.#slots);
    next.fill(
      this.arrays,
      this.#slots,
      rows.map((_, i) => i),
      rows,
    );
    return next;
  }
}
