// The key-value cache of a batch: persistent host arrays that the step graph reads without copies.

import type { Arrays } from "../backends/backend.ts";
import { dimensions, type LlamaConfig } from "../models/config.ts";

export class KvCache {
  /** k0 v0 k1 v1 …, each [B, kvHeads, S, headDim]. */
  readonly arrays: Record<string, Float32Array> = {};
  readonly #blocks: number; // B · kvHeads
  readonly #heads: number;
  readonly #slots: number;
  readonly #width: number;

  constructor(config: LlamaConfig, batch: number, slots: number) {
    const { kvHeads, headDim } = dimensions(config);
    this.#blocks = batch * kvHeads;
    this.#heads = kvHeads;
    this.#slots = slots;
    this.#width = headDim;
    for (let i = 0; i < config.num_hidden_layers; i++) {
      for (const kind of ["k", "v"])
        this.arrays[`${kind}${i}`] = new Float32Array(this.#blocks * slots * headDim);
    }
  }

  /** Takes over what the prefill graph left, [B, kvHeads, T, headDim] per array, at slots 0..T-1. */
  fill(prefill: Readonly<Arrays>, T: number): void {
    for (const [name, array] of Object.entries(this.arrays)) {
      const source = prefill[name] as Float32Array;
      for (let block = 0; block < this.#blocks; block++) {
        const rows = source.subarray(block * T * this.#width, (block + 1) * T * this.#width);
        array.set(rows, block * this.#slots * this.#width);
      }
    }
  }

  /** Writes one token's slices [B, kvHeads, 1, headDim], row r at slot positions[r]. */
  write(slices: Readonly<Arrays>, positions: Int32Array): void {
    const width = this.#width;
    for (const [name, array] of Object.entries(this.arrays)) {
      const source = slices[name] as Float32Array;
      for (let block = 0; block < this.#blocks; block++) {
        const to = (block * this.#slots + positions[Math.floor(block / this.#heads)]!) * width;
        const from = block * width;
        for (let j = 0; j < width; j++) array[to + j] = source[from + j]!;
      }
    }
  }
}
