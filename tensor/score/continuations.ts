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
 * One score per continuation, in the order given. Sequences of like length go together. Where the model has an
 * encoder, the prompt is its input and the continuation the decoder's whole sequence.
 */
export async function scoreContinuations(
  scorer: Scorer,
  items: readonly ContinuationItem[],
  { batch_size = 16, bucket = 32, max_length = Number.POSITIVE_INFINITY }: ContinuationOptions = {},
): Promise<ContinuationScore[][]> {
  const { decoderStart: start = 0 } = scorer.geometry;
  const encodes = scorer.geometry.decoderStart !== undefined;
  const results = items.map(({ continuations }) => new Array<ContinuationScore>(continuations.length));
  const rows = items.flatMap(({ prompt, continuations }, item) =>
    continuations.map((continuation, at) => {
      const length = (encodes ? 1 : prompt.length) + continuation.length;
      check(prompt.length > 0, "argument", () => `item ${item} has an empty prompt`);
      check(continuation.length > 0, "argument", () => `continuation ${at} of item ${item} is empty`);
      check(
        length <= max_length,
        "argument",
        () => `continuation ${at} of item ${item} ends at token ${length}, the limit is ${max_length}`,
      );
      return { item, at, length, prompt, continuation };
    }),
  );
  rows.sort((x, y) => x.length - y.length || x.prompt.length - y.prompt.length);
  for (let first = 0; first < rows.length; first += batch_size) {
    const batch = rows.slice(first, first + batch_size);
    const T = Math.min(Math.ceil(batch.at(-1)!.length / bucket) * bucket, max_length);
    const ids = new Int32Array(batch_size * T);
    batch.forEach(({ prompt, continuation, length }, r) => {
      ids.set(encodes ? [start] : prompt, r * T);
      ids.set(continuation, r * T + length - continuation.length);
    });
    const source = encodes ? sourcesOf(batch, batch_size, bucket) : undefined;
    const { data } = await scorer.logprobs(tensor(ids, [batch_size, T]), source);
    batch.forEach(({ item, at, continuation, length }, r) => {
      const logprobs = data.slice(r * T + length - continuation.length, r * T + length);
      const sum = logprobs.reduce((total, x) => total + x, 0);
      results[item]![at] = { sum, mean: sum / logprobs.length, logprobs };
    });
  }
  return results;
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
