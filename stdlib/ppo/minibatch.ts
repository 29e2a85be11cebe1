// The arrays of one optimiser step, in pieces that are computed one after the other.
import { type Aggregation, type Batch, stream, tokenWeights } from "../../tensor/index.ts";
import { type Assessed, perToken, tokensOf } from "./episode.ts";
import type { Estimate } from "./estimate.ts";

export interface MinibatchOptions {
  readonly aggregation: Aggregation;
  /** Episodes of a piece. */
  readonly size: number;
  /** The model's longest sequence. */
  readonly limit: number;
  readonly klCoef: number;
}

/** Which episodes each step of an iteration takes: every inner epoch is a permutation of its own. */
export function minibatches(
  episodes: number,
  size: number,
  { seed, iteration, epoch }: { readonly seed: number; readonly iteration: number; readonly epoch: number },
): number[][] {
  const order = stream(seed).split("minibatches").split(iteration).split(epoch).permutation(episodes);
  return Array.from({ length: episodes / size }, (_, i) => order.slice(i * size, (i + 1) * size));
}

/** Pieces of a minibatch; what a token counts for is worked out over the whole of it. */
export function piecesOf(
  chosen: readonly number[],
  episodes: readonly Assessed[],
  estimate: Estimate,
  { aggregation, size, limit, klCoef }: MinibatchOptions,
): Batch[] {
  const lengths = chosen.map((i) => episodes[i]!.ids.length);
  const weights = tokenWeights(lengths, aggregation);
  const shares = tokenWeights(lengths, "token_mean");
  const pieces: Batch[] = [];
  for (let at = 0; at < chosen.length; at += size) {
    const piece = chosen.slice(at, at + size).map((i, k) => ({ i, k: at + k, episode: episodes[i]! }));
    const own = piece.map(({ episode }) => episode);
    const each = (of: (one: (typeof piece)[number]) => readonly number[]) =>
      perToken(own, size, (row) => of(piece[row]!));
    pieces.push({
      ...tokensOf(own, size, limit),
      old: each(({ episode }) => episode.logprobs),
      reference: each(({ episode }) => episode.reference),
      advantages: each(({ i }) => estimate.advantages[i]!),
      weights: each(({ k, episode }) => episode.ids.map(() => weights[k]!)),
      shares: each(({ k, episode }) => episode.ids.map(() => shares[k]!)),
      kl_coef: klCoef,
      ...(estimate.returns.length > 0 && {
        old_values: each(({ episode }) => episode.values),
        returns: each(({ i }) => estimate.returns[i]!),
      }),
    });
  }
  return pieces;
}
