// Draws which elements dropout keeps: from seed, step, place and row alone, so neither the backend nor the micro-batches matter.

import { stream } from "../random.ts";
import { KEEP } from "./forward.ts";

export interface MaskSpec {
  readonly seed: number | string;
  readonly step: number;
  /** Number of this piece's first row within the step. */
  readonly first: number;
  /** Rows of the piece, each with a stream of its own that begins at its first token. */
  readonly B: number;
  /** Elements in all. */
  readonly size: number;
}

/** 1 for an element that is kept, with probability 1-p to 16 bits; the input's name says p and the place. */
export function keepMask(name: string, { seed, step, first, B, size }: MaskSpec): Uint8Array {
  const at = name.indexOf("/", KEEP.length);
  const threshold = Math.round(Number(name.slice(KEEP.length, at)) * 2 ** 16);
  const places = stream(seed)
    .split("dropout")
    .split(step)
    .split(name.slice(at + 1));
  const keep = new Uint8Array(size);
  const width = size / B;
  for (let row = 0; row < B; row++) {
    const random = places.split(first + row);
    const end = (row + 1) * width;
    for (let i = row * width; i < end; i += 2) {
      const bits = random.uniform() * 2 ** 32; // exact: an integer of 32 bits, two draws of 16
      const high = Math.floor(bits / 2 ** 16);
      keep[i] = Number(high >= threshold);
      if (i + 1 < end) keep[i + 1] = Number(bits - high * 2 ** 16 >= threshold);
    }
  }
  return keep;
}
