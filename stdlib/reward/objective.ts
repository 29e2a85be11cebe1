// The loss of a reward model over the pairs of a prompt, and the arrays that it reads.
import {
  type Batch,
  kWise,
  type LossFn,
  pairAccuracy,
  plackettLuce,
  tensor,
  type Value,
} from "../../tensor/index.ts";
import type { RankedResponses } from "./rankings.ts";
import { scoresAt } from "./reward-model.ts";
import type { RewardParams } from "./run.ts";
import { lastTokens } from "./score.ts";

/** K is the most responses to a prompt. */
export function objectiveOf(params: RewardParams, K: number): LossFn {
  return (b, model, inputs) => {
    // ids [N,T] of all responses of the batch, last [N]; the rest is per prompt, see batchOf().
    const { ids, last, places, better, margin, prompts } = inputs as { [name: string]: Value } & Record<
      "ids" | "last" | "places" | "better" | "margin" | "prompts",
      Value
    >;
    const [P] = better.shape as [number];
    const scores = b.reshape(scoresAt(b, model, ids, last), [last.shape[0]!, 1]);
    const ranked = { rewards: b.reshape(b.gatherRows(scores, b.reshape(places, [P * K])), [P, K]), better };
    const losses =
      params.loss === "plackett_luce"
        ? plackettLuce(b, ranked)
        : kWise(b, ranked, { margin, center: params.center_coef, l2: params.l2_coef });
    const overPrompts = (x: Value) => b.div(b.sum(x), prompts);
    return { loss: overPrompts(losses), metrics: { accuracy: overPrompts(pairAccuracy(b, ranked)) } };
  };
}

export interface BatchOptions {
  readonly K: number;
  /** Prompts of a micro-batch, and of the whole batch that it is a part of. */
  readonly size: number;
  readonly of: number;
  /** The model's longest sequence. */
  readonly limit: number;
}

/** Every response once, and for each prompt where its responses are, [P,K], which are better than which, [P,K,K], and by what margin. */
export function batchOf(chosen: readonly RankedResponses[], { K, size, of, limit }: BatchOptions): Batch {
  const places = new Int32Array(size * K);
  const better = new Float32Array(size * K * K);
  const margin = new Float32Array(size * K * K);
  const sequences: (readonly number[])[] = [];
  chosen.forEach(({ sequences: own, ranks, margin: lead = 0 }, p) => {
    own.forEach((ids, i) => {
      places[p * K + i] = sequences.push(ids) - 1;
      ranks.forEach((rank, j) => {
        const at = (p * K + i) * K + j;
        if (ranks[i]! < rank) better[at] = 1;
        margin[at] = lead;
      });
    });
  });
  // Whole numbers of responses per prompt, so that few shapes are compiled where K varies.
  const rows = size * Math.ceil(sequences.length / size);
  const { ids, last } = lastTokens(
    sequences.map((ids) => ({ ids, mask: [] })),
    rows,
    limit,
  );
  return {
    ids,
    last,
    places: tensor(places, [size, K]),
    better: tensor(better, [size, K, K]),
    margin: tensor(margin, [size, K, K]),
    prompts: of,
  };
}
