// A set of digests of rows in 12 bytes each and room to spare: for more rows than a Set of texts could hold.
import { createHash } from "node:crypto";
import { canonicalJson } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";

/** Words of a digest that are kept, 96 bits: among a billion rows two different ones meet with probability 6e-12. */
const WORDS = 3;

/** Open addressing with linear probing, at most two thirds full. */
export class DigestSet {
  #slots = new Uint32Array(WORDS * 1024);
  #taken = new Uint8Array(1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Whether it was not there yet. */
  add(digest: Buffer): boolean {
    const slot = this.#slotOf(digest);
    if (this.#taken[slot]) return false;
    this.#put(slot, digest);
    if (++this.#size > (2 / 3) * this.#taken.length) this.#grow();
    return true;
  }

  has(digest: Buffer): boolean {
    return this.#taken[this.#slotOf(digest)] === 1;
  }

  #put(slot: number, digest: Buffer): void {
    this.#taken[slot] = 1;
    for (let i = 0; i < WORDS; i++) this.#slots[WORDS * slot + i] = digest.readUInt32LE(4 * i);
  }

  /** Where it is, or would be. */
  #slotOf(digest: Buffer): number {
    const slots = this.#taken.length;
    let slot = digest.readUInt32LE(0) % slots;
    while (this.#taken[slot] && !this.#holds(slot, digest)) slot = (slot + 1) % slots;
    return slot;
  }

  #holds(slot: number, digest: Buffer): boolean {
    for (let i = 0; i < WORDS; i++)
      if (this.#slots[WORDS * slot + i] !== digest.readUInt32LE(4 * i)) return false;
    return true;
  }

  #grow(): void {
    const [slots, taken] = [this.#slots, this.#taken];
    this.#slots = new Uint32Array(2 * slots.length);
    this.#taken = new Uint8Array(2 * taken.length);
    const digest = Buffer.alloc(4 * WORDS);
    for (let slot = 0; slot < taken.length; slot++) {
      if (!taken[slot]) continue;
      for (let i = 0; i < WORDS; i++) digest.writeUInt32LE(slots[WORDS * slot + i]!, 4 * i);
      this.#put(this.#slotOf(digest), digest);
    }
  }
}

/** sha256 of the canonical JSON: the same whatever the order of columns. */
export function digestOf(value: Json): Buffer {
  return createHash("sha256").update(canonicalJson(value)).digest();
}
