// Remembers which host arrays stand for numbers that a device holds, and frees those whose array nobody has any more.

import type { HostArray } from "../ir/graph.ts";

interface Resident<T> {
  readonly tensor: T;
  /** Whether the host's array still has the same numbers. */
  readonly fresh: boolean;
}

export class Residents<T> {
  readonly #free: (tensor: T) => void;
  readonly #known = new WeakMap<HostArray, Resident<T>>();
  readonly #forgotten: FinalizationRegistry<T>;

  constructor(free: (tensor: T) => void) {
    this.#free = free;
    this.#forgotten = new FinalizationRegistry(free);
  }

  get(array: HostArray): T | undefined {
    return this.#known.get(array)?.tensor;
  }

  /** From now on `array` stands for `tensor`; what it stood for before is freed. */
  put(array: HostArray, tensor: T, { fresh = false } = {}): void {
    this.drop(array);
    this.#known.set(array, { tensor, fresh });
    this.#forgotten.register(array, tensor, array);
  }

  /** The tensor to read back, or undefined when the host's array has its numbers already. */
  stale(array: HostArray): T | undefined {
    const known = this.#known.get(array);
    return known && !known.fresh ? known.tensor : undefined;
  }

  forget(arrays: Iterable<HostArray>): void {
    for (const array of arrays) this.drop(array);
  }

  drop(array: HostArray): void {
    const known = this.#known.get(array);
    if (!known) return;
    this.#known.delete(array);
    this.#forgotten.unregister(array);
    this.#free(known.tensor);
  }
}
