// The Plackett-Luce loss over the implicit rewards of a ranking, and the arrays that it reads.
import {
  type Batch,
  type Geometry,
  type LossFn,
  pairAccuracy,
  plackettLuce,
  tensor,
  type Value,
} from "../../tensor/index.ts";
import type { RankedResponses } from "../reward/rankings.ts";
import { pad } from "../training/padding.ts";
import { rowSums, supervision } from "../training/supervision.ts";

/** ids [N,T] of all responses of the batch with their reference [N]; where each prompt's K stand [P,K]; which are better [P,K,K]. */
export function lossOf(beta: number): LossFn {
  return (b, model, inputs) => {
    const { reference, places, better, rankings } = inputs as Record<string, Value>;
    const [P, K] = places!.shape as [number, number];
    const rewards = b.mul(b.sub(rowSums(b, model, inputs), reference!), beta);
    const column = b.reshape(rewards, [rewards.shape[0]!, 1]);
    const ranked = {
      rewards: b.reshape(b.gatherRows(column, b.reshape(places!, [P * K])), [P, K]),
      better: better!,
    };
    const mean = (x: Value) => b.div(b.sum(x), rankings!);
    return { loss: mean(plackettLuce(b, ranked)), metrics: { accuracy: mean(pairAccuracy(b, ranked)) } };
  };
}

export interface BatchOptions {
  /** The most responses to a prompt. */
  readonly K: number;
  /** Rankings of a micro-batch, and of the whole batch that it is a part of. */
  readonly size: number;
  readonly of: number;
  readonly geometry: Geometry;
}

/** `known` are log-probabilities of all responses under the reference, in nats. */
export function batchOf(
  chosen: readonly RankedResponses[],
  known: readonly number[],
  { K, size, of, geometry }: BatchOptions,
): Batch {
  const places = new Int32Array(size * K);
  const better = new Float32Array(size * K * K);
  let row = 0;
  chosen.forEach(({ ranks }, p) => {
    ranks.forEach((rank, i) => {
      places[p * K + i] = row++;
      ranks.forEach((other, j) => {
        if (rank < other) better[(p * K + i) * K + j] = 1;
      });
    });
  });
  // Whole numbers of responses per prompt, so that few shapes are compiled where K varies.
  const rows = size * Math.ceil(row / size);
  const reference = new Float32Array(rows);
  reference.set(known);
  const { ids, mask } = pad(
    chosen.flatMap(({ examples }) => examples),
    rows,
    geometry.maxLength,
  );
  return {
    ids,
    ...supervision(ids, mask, geometry.vocabSize),
    reference: tensor(reference, [rows]),
    places: tensor(places, [size, K]),
    better: tensor(better, [size, K, K]),
    rankings: of,
  };
}
