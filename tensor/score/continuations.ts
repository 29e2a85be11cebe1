// Scores given continuations of a prompt, as rank classification does: which of the answers does the model find likeliest?

import { type ContinuationItem, type ContinuationOptions, passesOf } from "./passes.ts";
import type { Scorer } from "./scorer.ts";

export interface ContinuationScore {
  /** log p(continuation | prompt) in nats. */
  readonly sum: number;
  /** Per token of the continuation, in nats: long answers are not at a disadvantage. */
  readonly mean: number;
  /** Each token's own. */
  readonly logprobs: Float32Array;
}

/**
 * One score per continuation, in the order given. Sequences of like length go together; continuations of one token share their
 * prompt's. Where the model has an encoder, the prompt is its input and the continuation the decoder's whole sequence.
 */
export async function scoreContinuations(
  scorer: Scorer,
  items: readonly ContinuationItem[],
  options: ContinuationOptions = {},
): Promise<ContinuationScore[][]> {
  const results = items.map(({ continuations }) => new Array<ContinuationScore>(continuations.length));
  for (const { ids, rows, targets, source, sequences } of passesOf(items, scorer.geometry, options)) {
    const { data } = await scorer.logprobsAt(ids, rows, targets, source);
    let read = 0;
    for (const { item, answers } of sequences) {
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
