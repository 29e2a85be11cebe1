// Runs DPO on rankings: log-probs of all responses under the reference → steps on whole rankings.
import type { OutputContext, RunResult, StageRun } from "../../engine/index.ts";
import {
  type Batch,
  type LossFn,
  pairAccuracy,
  plackettLuce,
  tensor,
  type Value,
} from "../../tensor/index.ts";
import { type RankedResponses, readRankings } from "../reward/rankings.ts";
import { openBackend } from "../training/backend.ts";
import { trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import { pad, supervised } from "../training/padding.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { openScorer } from "../training/reference.ts";
import { openSession } from "../training/session.ts";
import { rowSums, supervision } from "../training/supervision.ts";

interface Params extends TrainingParams, LoraParams {
  readonly beta: number;
  readonly max_length?: number;
}

export const dpoRanking: StageRun<Params> = { run };

async function run(ctx: OutputContext<Params>): Promise<RunResult> {
  const { params, inputs } = ctx;
  const size = params.micro_batch_size ?? params.batch_size;
  const policy = await openModel(inputs.model![0]!);
  const reference = inputs.reference ? await openModel(inputs.reference[0]!) : policy;
  const backend = await openBackend(ctx);
  const { rankings, tied } = await readRankings(inputs.data![0]!, policy, params.max_length);
  const K = Math.max(...rankings.map(({ ranks }) => ranks.length));
  const scorer = openScorer(backend, reference, { size: K * size, normalization: "sum" });
  const logprobs = await scorer.score(rankings.flatMap(({ examples }) => examples));
  await scorer.dispose();
  let at = 0;
  const references = rankings.map(({ examples }) => {
    at += examples.length;
    return logprobs.slice(at - examples.length, at);
  });

  const { trainer, save } = openSession(ctx, backend, policy, lossOf(params.beta));
  const { vocabSize, maxLength } = policy.geometry;
  const batch = (indices: readonly number[], of: number): Batch => {
    const places = new Int32Array(size * K);
    const better = new Float32Array(size * K * K);
    const chosen = indices.map((i) => rankings[i]!);
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
    const known = new Float32Array(rows);
    known.set(indices.flatMap((i) => references[i]!));
    const { ids, mask } = pad(
      chosen.flatMap(({ examples }) => examples),
      rows,
      maxLength,
    );
    return {
      ids,
      ...supervision(ids, mask, vocabSize),
      reference: tensor(known, [rows]),
      places: tensor(places, [size, K]),
      better: tensor(better, [size, K, K]),
      rankings: of,
    };
  };
  const tokens = ({ examples }: RankedResponses) =>
    examples.reduce((n, example) => n + supervised(example), 0);
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: rankings.length,
    batch: (piece, whole) => batch(piece, whole.length),
    tokens: (indices) => indices.reduce((n, i) => n + tokens(rankings[i]!), 0),
  });
  await save();
  await trainer.dispose();
  return {
    metrics: {
      ...result.tail,
      first_loss: result.first_loss,
      rankings: rankings.length,
      all_tied: tied,
      steps: result.steps,
    },
  };
}

/** ids [N,T] of all responses of the batch with their reference [N]; where each prompt's K stand [P,K]; which are better [P,K,K]. */
function lossOf(beta: number): LossFn {
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
