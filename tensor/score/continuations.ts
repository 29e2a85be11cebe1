// Scores given continuations of a prompt, as rank classification does: which of the answers does the model find likeliest?

import { check } from "../error.ts";
import { tensor } from "../host.ts";
import type { Scorer, SourceBatch } from "./scorer.ts";

export interface ContinuationItem {
  /** At least one token: the first token of a continuation must follow something. */
  readonly prompt: ArrayLike<number>;
  readonly continuations: readonly ArrayLike<number>[];
}

export interface ContinuationScore {
  /** log p(continuation | prompt) in nats. */
  readonly sum: number;
  /** Per token of the continuation, in nats: long answers are not at a disadvantage. */
  readonly mean: number;
  /** Each token's own. */
  readonly logprobs: Float32Array;
}

export interface ContinuationOptions {
  /** Most sequences in one pass, default 16. */
  readonly batch_size?: number;
  /** Lengths are padded to a multiple of this, so that few graphs are compiled; default 32. */
  readonly bucket?: number;
  /** The model's limit, beyond which nothing is padded. */
  readonly max_length?: number;
}

/**
 * One score per continuation, in the order given. Sequences of like length go together; continuations of one token share their
 * prompt's. Where the model has an encoder, the prompt is its input and the continuation the decoder's whole sequence.
 */
export async function scoreContinuations(
  scorer: Scorer,
  items: readonly ContinuationItem[],
  { batch_size = 16, bucket = 32, max_length = Number.POSITIVE_INFINITY }: ContinuationOptions = {},
): Promise<ContinuationScore[][]> {
  const encodes = scorer.geometry.decoderStart !== undefined;
  const starts = encodes ? [scorer.geometry.decoderStart!] : undefined;
  const results = items.map(({ continuations }) => new Array<ContinuationScore>(continuations.length));
  const rows = items.flatMap((item, index) => sequencesOf(item, index, starts, max_length));
  rows.sort((x, y) => x.ids.length - y.ids.length || x.prompt.length - y.prompt.length);
  for (let first = 0; first < rows.length; first += batch_size) {
    const batch = rows.slice(first, first + batch_size);
    const T = Math.min(Math.ceil(batch.at(-1)!.ids.length / bucket) * bucket, max_length);
    const ids = new Int32Array(batch_size * T);
    batch.forEach((row, r) => {
      ids.set(row.ids, r * T);
    });
    const asked = batch.flatMap(({ answers, start }, r) =>
      answers.flatMap(({ tokens }) => Array.from(tokens, (token, t) => ({ row: r * T + start + t, token }))),
    );
    const { data } = await scorer.logprobsAt(
      tensor(ids, [batch_size, T]),
      padded(
        asked.map(({ row }) => row),
        bucket,
      ),
      padded(
        asked.map(({ token }) => token),
        bucket,
      ),
      encodes ? sourcesOf(batch, batch_size, bucket) : undefined,
    );
    let read = 0;
    for (const { item, answers } of batch) {
      for (const { at, tokens } of answers) {
        const logprobs = data.slice(read, read + tokens.length);
        read += tokens.length;
        const sum = logprobs.reduce((total, x) => total + x, 0);
        results[item]![at] = { sum, mean: sum / logprobs.length, logprobs };
      }
    }
  }
  return results;
}

/** What goes through the model once, and the continuations that are read from it. */
interface Sequence {
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
