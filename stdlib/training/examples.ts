// Examples to train on as compact records, any of which can be had by its number: tokens as 16 or 32 bits, the mask as runs.
import { Column, Records, type RecordsOptions } from "../data/records.ts";
import { type Example, supervised } from "./padding.ts";
import type { SourceExample } from "./sources.ts";

/** What a training loop needs of its data, whether it is in memory or in a file. */
export interface Examples<E> {
  readonly count: number;
  at(index: number): E;
  /** Supervised tokens of these. */
  tokens(indices: readonly number[]): number;
}

export interface StoreOptions extends RecordsOptions {
  /** No token id and no length is larger. */
  readonly largest: number;
}

export class ExampleStore<E extends Example | SourceExample> implements Examples<E> {
  readonly #records: Records;
  readonly #Words: typeof Uint16Array | typeof Uint32Array;
  readonly #sizes = new Column(Uint32Array);
  readonly #supervised = new Column(Uint32Array);

  constructor({ largest, ...options }: StoreOptions) {
    this.#Words = largest < 2 ** 16 ? Uint16Array : Uint32Array;
    this.#records = new Records(options);
  }

  get count(): number {
    return this.#records.count;
  }

  /** Tokens of each, supervised or not. */
  get sizes(): ArrayLike<number> {
    return this.#sizes.values();
  }

  tokens(indices: readonly number[]): number {
    return indices.reduce((sum, index) => sum + this.#supervised.at(index), 0);
  }

  /** The record: numbers of tokens and of source tokens (plus one, 0 for none), lengths of runs off, on, off, … the tokens, the source. */
  add(example: E): void {
    const { ids, mask } = example;
    const source = "source" in example ? example.source : undefined;
    const runs = runsOf(mask);
    const words = this.#Words.from([
      ids.length,
      source === undefined ? 0 : source.length + 1,
      ...runs,
      ...ids,
      ...(source ?? []),
    ]);
    this.#records.add(new Uint8Array(words.buffer));
    this.#sizes.push(ids.length);
    this.#supervised.push(supervised(example));
  }

  at(index: number): E {
    const { buffer } = this.#records.at(index);
    const words = new this.#Words(buffer as ArrayBuffer);
    const [length, source] = [words[0]!, words[1]!];
    const mask: boolean[] = [];
    let at = 2;
    for (let on = false; mask.length < length; on = !on)
      for (let left = words[at++]!; left > 0; left--) mask.push(on);
    const ids = Array.from(words.subarray(at, at + length));
    const made = { ids, mask };
    return (source === 0
      ? made
      : { ...made, source: Array.from(words.subarray(at + length)) }) as Example as E;
  }
}

/** Lengths of runs, the first of which is off and may be empty. */
function runsOf(mask: readonly boolean[]): number[] {
  const runs: number[] = [];
  let [on, length] = [false, 0];
  for (const value of mask) {
    if (value !== on) {
      runs.push(length);
      [on, length] = [value, 0];
    }
    length++;
  }
  if (length > 0) runs.push(length);
  return runs;
}
