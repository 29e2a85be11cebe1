// Runs DPO on rankings: log-probs of all responses under the reference → steps on whole rankings.
import type { OutputContext, RunResult, StageRun } from "../../engine/index.ts";
import { type RankedResponses, readRankings } from "../reward/rankings.ts";
import { openBackend } from "../training/backend.ts";
import { drawn, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import { supervised } from "../training/padding.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { openReference, openScorer } from "../training/reference.ts";
import { openSession } from "../training/session.ts";
import { batchOf, lossOf } from "./objective.ts";

export interface DpoRankingParams extends TrainingParams, LoraParams {
  readonly beta: number;
  readonly max_length?: number;
}

export const dpoRanking: StageRun<DpoRankingParams> = { run };

async function run(ctx: OutputContext<DpoRankingParams>): Promise<RunResult> {
  const { params, inputs } = ctx;
  const size = params.micro_batch_size ?? params.batch_size;
  const policy = await openModel(inputs.model![0]!);
  const reference = await openReference(inputs.reference?.[0], policy);
  const backend = await openBackend(ctx);
  const { rankings, tied } = await readRankings(inputs.data![0]!, policy, params.max_length);
  const K = Math.max(...rankings.map(({ ranks }) => ranks.length));
  const scorer = openScorer(backend, reference, { size: K * size, normalization: "sum" });
  const known = drawn(params, rankings.length);
  const logprobs = await scorer.score(
    known.flatMap((i) => rankings[i]!.examples),
    { ctx, name: "reference" },
  );
  await scorer.dispose();
  const references: (readonly number[])[] = [];
  let at = 0;
  for (const i of known) {
    const end = at + rankings[i]!.examples.length;
    references[i] = logprobs.slice(at, end);
    at = end;
  }

  const { trainer, save } = openSession(ctx, backend, policy, lossOf(params.beta));
  const tokens = ({ examples }: RankedResponses) =>
    examples.reduce((n, example) => n + supervised(example), 0);
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: rankings.length,
    batch: (piece, whole) =>
      batchOf(
        piece.map((i) => rankings[i]!),
        piece.flatMap((i) => references[i]!),
        { K, size, of: whole.length, geometry: policy.geometry },
      ),
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
