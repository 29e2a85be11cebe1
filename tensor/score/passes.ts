// Which continuations go through the model together: sequences of like length share a pass, in few shapes.

import { check } from "../error.ts";
import { type HostTensor, tensor } from "../host.ts";
import type { Geometry } from "../models/architecture.ts";
import type { SourceBatch } from "./scorer.ts";

export interface ContinuationItem {
  /** At least one token: the first token of a continuation must follow something. */
  readonly prompt: ArrayLike<number>;
  readonly continuations: readonly ArrayLike<number>[];
}

export interface ContinuationOptions {
  /** Most sequences in one pass, default 16. */
  readonly batch_size?: number;
  /** Lengths are padded to a multiple of this, so that few graphs are compiled; default 32. */
  readonly bucket?: number;
  /** The model's limit, beyond which nothing is padded. */
  readonly max_length?: number;
}

/** One run of the model: ids [B,T], and of their B·T positions the rows [R] that predict the targets [R]. */
export interface Pass {
  readonly ids: HostTensor<Int32Array>;
  readonly rows: HostTensor<Int32Array>;
  readonly targets: HostTensor<Int32Array>;
  /** Where the model has an encoder. */
  readonly source: SourceBatch | undefined;
  /** What it reads, in the order of the rows. */
  readonly sequences: readonly Sequence[];
}

export function* passesOf(
  items: readonly ContinuationItem[],
  { decoderStart }: Geometry,
  { batch_size = 16, bucket = 32, max_length = Number.POSITIVE_INFINITY }: ContinuationOptions = {},
): Generator<Pass> {
  const starts = decoderStart === undefined ? undefined : [decoderStart];
  const all = items.flatMap((item, index) => sequencesOf(item, index, starts, max_length));
  all.sort((x, y) => x.ids.length - y.ids.length || x.prompt.length - y.prompt.length);
  for (let first = 0; first < all.length; first += batch_size) {
    const sequences = all.slice(first, first + batch_size);
    const T = Math.min(Math.ceil(sequences.at(-1)!.ids.length / bucket) * bucket, max_length);
    const ids = new Int32Array(batch_size * T);
    sequences.forEach((sequence, r) => {
      ids.set(sequence.ids, r * T);
    });
    const asked = sequences.flatMap(({ answers, start }, r) =>
      answers.flatMap(({ tokens }) => Array.from(tokens, (token, t) => ({ row: r * T + start + t, token }))),
    );
    yield {
      ids: tensor(ids, [batch_size, T]),
      rows: padded(
        asked.map(({ row }) => row),
        bucket,
      ),
      targets: padded(
        asked.map(({ token }) => token),
        bucket,
      ),
      source: starts && sourcesOf(sequences, batch_size, bucket),
      sequences,
    };
  }
}

/** What goes through the model once, and the continuations that are read from it. */
export interface Sequence {
  readonly item: number;
  readonly prompt: ArrayLike<number>;
  readonly ids: readonly number[];
  /** The position that predicts the first token of its continuations. */
  readonly start: number;
  readonly answers: readonly { readonly at: number; readonly tokens: ArrayLike<number> }[];
}

/** The last token of a continuation predicts nothing that is asked for, so it is left out: those of one token are their prompt. */
function sequencesOf(
  { prompt, continuations }: ContinuationItem,
  item: number,
  starts: readonly number[] | undefined,
  max_length: number,
): Sequence[] {
  check(prompt.length > 0, "argument", () => `item ${item} has an empty prompt`);
  const before = starts ?? Array.from(prompt);
  const answers = continuations.map((tokens, at) => {
    const length = before.length + tokens.length;
    check(tokens.length > 0, "argument", () => `continuation ${at} of item ${item} is empty`);
    check(
      length <= max_length,
      "argument",
      () => `continuation ${at} of item ${item} ends at token ${length}, the limit is ${max_length}`,
    );
    return { at, tokens };
  });
  const short = answers.filter(({ tokens }) => tokens.length === 1);
  const long = answers.filter(({ tokens }) => tokens.length > 1).map((answer) => [answer]);
  return [...(short.length > 0 ? [short] : []), ...long].map((together) => ({
    item,
    prompt,
    ids: [...before, ...Array.from(together[0]!.tokens).slice(0, -1)],
    start: before.length - 1,
    answers: together,
  }));
}

/** Filled up with zeros to a multiple of `bucket`. */
function padded(values: readonly number[], bucket: number) {
  const data = new Int32Array(Math.ceil(values.length / bucket) * bucket);
  data.set(values);
  return tensor(data, [data.length]);
}

/** Prompts as an encoder's input, [rows,S] with a mask. */
function sourcesOf(
  batch: readonly { readonly prompt: ArrayLike<number> }[],
  rows: number,
  bucket: number,
): SourceBatch {
  const longest = Math.max(...batch.map(({ prompt }) => prompt.length));
  const S = Math.ceil(longest / bucket) * bucket;
  const [ids, mask] = [new Int32Array(rows * S), new Float32Array(rows * S)];
  batch.forEach(({ prompt }, r) => {
    ids.set(prompt, r * S);
    mask.fill(1, r * S, r * S + prompt.length);
  });
  return { ids: tensor(ids, [rows, S]), mask: tensor(mask, [rows, S]) };
}
