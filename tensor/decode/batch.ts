// Keeps a batch of decoding rows busy: admits prompts into free places, steps all rows, shrinks at the end.

import type { Arrays, Executable } from "../backends/backend.ts";
import type { HostArray } from "../ir/graph.ts";
import type { Geometry } from "../models/architecture.ts";
import { KvCache, type Slots } from "./cache.ts";
import type { Distribution } from "./sample.ts";

export interface NextToken extends Distribution {
  /** What was subtracted from each logit. */
  readonly normalizer: number;
}

export interface BatchRow {
  readonly prompt: ArrayLike<number>;
  /** Own slots that it takes, where they may be more than the batch has. */
  readonly room?: number;
  /** 0 is greedy. */
  readonly temperature: number;
  /** Takes the distribution of the next token; returns the token to feed, or undefined when the row has ended. */
  next(distribution: NextToken): number | undefined;
}

export interface BatchRuntime {
  readonly geometry: Geometry;
  readonly weights: Readonly<Arrays>;
  /** Most rows at a time. */
  readonly size: number;
  /** Always steps `size` rows, however few are left: one compiled step serves all. */
  readonly fixed?: boolean;
  /** Cache slots per row: at least the longest prompt with its answer, or each in slots of its own. */
  readonly slots: Slots;
  /** The length that prompts up to this one are padded to. */
  promptLength(longest: number): number;
  executable(kind: "prefill" | "step", rows: number, length: number): Promise<Executable>;
  /** Whether the executables take temperatures and give weights. */
  readonly draws: boolean;
  /** Before the host reads or writes what a step has taken up tokens into, see Backend.reclaim. */
  reclaim?(arrays: Iterable<HostArray>): Promise<void>;
  /** Called after every round of new tokens. */
  tick(): void;
}

/** A batch of one would take other kernels than a batch of many, and with them other last bits: two is the least. */
const leastWidth = (rows: number, size: number) =>
  Math.max(2, Math.min(size, 2 ** Math.ceil(Math.log2(rows))));

/** Runs every row out of the queue, in order, to its end; more may be put into it meanwhile. */
export async function decodeAll(waiting: BatchRow[], runtime: BatchRuntime): Promise<void> {
  const { geometry, weights, size, tick, draws, fixed = false } = runtime;
  const widthFor = (rows: number) => (fixed ? size : leastWidth(rows, size));
  const V = geometry.vocabSize;
  const encodes = geometry.decoderStart !== undefined;
  let slots = runtime.slots;
  let width = widthFor(Math.min(size, waiting.length));
  let cache = new KvCache(geometry.cache, width, slots);
  let places = new Array<BatchRow | undefined>(width).fill(undefined);
  let tokens = new Int32Array(width);
  let positions = new Int32Array(width);
  let out: Arrays | undefined;

  const temperatures = (rows: readonly (BatchRow | undefined)[], B: number): Arrays =>
    draws
      ? { inverse_temperature: Float32Array.from({ length: B }, (_, r) => 1 / (rows[r]?.temperature || 1)) }
      : {};

  /** Prefills as many waiting rows as there are free places. */
  async function admit(): Promise<void> {
    const free = places.flatMap((row, i) => (row ? [] : [i]));
    const rows = waiting.splice(0, Math.min(free.length, size));
    const B = leastWidth(rows.length, size);
    const longest = Math.max(...rows.map(({ prompt }) => prompt.length));
    const T = Math.min(runtime.promptLength(longest), encodes ? slots.source : slots.own);
    const ids = new Int32Array(B * T);
    const last = Int32Array.from({ length: B }, (_, r) => r * T);
    rows.forEach(({ prompt }, r) => {
      ids.set(prompt, r * T);
      last[r] = r * T + prompt.length - 1;
    });
    const filled = await (await runtime.executable("prefill", B, T)).run({
      ...weights,
      ...temperatures(rows, B),
      ids,
      last,
    });
    // The padding's slots are overwritten by the answer before anything may read them.
    await runtime.reclaim?.(Object.values(cache.own));
    cache.fill(filled, B, free.slice(0, rows.length));
    rows.forEach((row, r) => {
      // An encoder's prompt leaves the decoder's slots free, but for its start token.
      const position = encodes ? 1 : row.prompt.length;
      place(free[r]!, row, position, filled, r);
    });
    tick();
  }

  /** Hands a row its next distribution, row r of `from`; it stays in its place if it feeds a token at `position`. */
  function place(at: number, row: BatchRow, position: number, from: Arrays, r: number): void {
    const own = (all: HostArray) => (all as Float32Array).subarray(r * V, (r + 1) * V);
    const token = row.next({
      logprobs: own(from.logprobs!),
      weights: from.weights && own(from.weights),
      normalizer: from.normalizer![r]!,
    });
    places[at] = token === undefined ? undefined : row;
    tokens[at] = token ?? 0;
    positions[at] = token === undefined ? 0 : position;
  }

  /** Half empty and nobody waiting: a narrower step is cheaper. */
  async function shrink(): Promise<void> {
    const narrow = widthFor(places.filter(Boolean).length);
    if (narrow < width) await reseat(narrow, slots);
  }

  /** Places for those who came while others were decoded, and slots for those among them that are longer. */
  async function grow(): Promise<void> {
    const live = places.filter(Boolean).length;
    const wide = Math.max(width, widthFor(Math.min(size, live + waiting.length)));
    const own = Math.max(slots.own, ...waiting.slice(0, wide - live).map(({ room = 0 }) => room));
    if (wide > width || own > slots.own) await reseat(wide, { ...slots, own });
  }

  async function reseat(to: number, room: Slots): Promise<void> {
    const live = places.flatMap((row, i) => (row ? [i] : []));
    await runtime.reclaim?.(Object.values(cache.own));
    cache = cache.keep(live, width, to, room);
    [width, slots] = [to, room];
    const seat = <A>(take: (i: number) => A, empty: A) =>
      Array.from({ length: to }, (_, i) => (i < live.length ? take(live[i]!) : empty));
    tokens = Int32Array.from(seat((i) => tokens[i]!, 0));
    positions = Int32Array.from(seat((i) => positions[i]!, 0));
    places = seat<BatchRow | undefined>((i) => places[i], undefined);
    out = undefined;
  }

  for (;;) {
    if (waiting.length > 0) await grow();
    const free = places.filter((row) => !row).length;
    // Few free places wait for company, so that prompts are prefilled together.
    while (waiting.length > 0 && places.some((row) => !row)) {
      if (free < Math.min(waiting.length, Math.ceil(size / 4))) break;
      await admit();
    }
    if (places.every((row) => !row)) {
      if (waiting.length === 0) return;
      continue;
    }
    if (waiting.length === 0) await shrink();
    const step = await runtime.executable("step", width, slots.own);
    // Into the same arrays each time, the cache's among them.
    out = await step.run(
      { ...weights, ...cache.arrays, ...temperatures(places, width), ids: tokens, positions },
      { ...out, ...cache.own },
    );
    const given = out;
    places.forEach((row, r) => {
      if (row) place(r, row, positions[r]! + 1, given, r);
    });
    tick();
  }
}
