// Trains a reward model: comparisons → one forward per response → loss over all pairs of a prompt → bias, measured agreement.
import { type OutputContext, type RunResult, readRows, type StageRun } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { mean } from "../compare/statistics.ts";
import { encodeExample } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { batches, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { openSession } from "../training/session.ts";
import { agreement, calibrationError, labelerTable, leads, type Measured } from "./measure.ts";
import { batchOf, objectiveOf } from "./objective.ts";
import { pairsOf, type RankedResponses, readRankings } from "./rankings.ts";
import { SCORE, saveRewardModel, withScoreHead } from "./reward-model.ts";
import { openSequenceScorer } from "./score.ts";

export interface RewardParams extends TrainingParams, LoraParams {
  readonly loss: "k_wise" | "pairwise" | "plackett_luce";
  readonly center_coef: number;
  readonly l2_coef: number;
  readonly normalize: "mean" | "mean_and_std";
  readonly max_length?: number;
}

export const reward: StageRun<RewardParams> = { run };

async function run(ctx: OutputContext<RewardParams>): Promise<RunResult> {
  const { params, inputs } = ctx;
  const base = await openModel(inputs.model![0]!);
  const backend = await openBackend(ctx);
  const { rankings, tied } = await readRankings(inputs.data![0]!, base, params.max_length);
  const examples = params.loss === "pairwise" ? rankings.flatMap(pairsOf) : rankings;
  const K = Math.max(...examples.map(({ ranks }) => ranks.length));
  const held = inputs.eval && (await readRankings(inputs.eval[0]!, base, params.max_length)).rankings;

  // Normal with variance 1/(D+1), as lm-human-preferences starts it.
  const width = base.geometry.hiddenSize;
  const draw = stream(params.seed).split("score");
  const head = Float32Array.from({ length: width }, () => draw.normal() / Math.sqrt(width + 1));
  const model = withScoreHead(base, head);

  const session = openSession(ctx, backend, model, objectiveOf(params, K), [SCORE]);

  const size = params.micro_batch_size ?? params.batch_size;
  const limit = model.geometry.maxLength;
  async function score(sequences: readonly (readonly number[])[], bias = 0): Promise<number[]> {
    await session.trainer.settle();
    const scorer = openSequenceScorer(backend, { ...model, params: session.weights(), bias });
    const scores = await scorer.score(sequences, ctx);
    await scorer.dispose();
    return scores;
  }

  async function measure(data: readonly RankedResponses[]): Promise<Measured[]> {
    const scores = await score(data.flatMap(({ sequences }) => sequences));
    let at = 0;
    return data.map(({ sequences, ranks, labeler }) => {
      const rewards = scores.slice(at, at + sequences.length);
      at += sequences.length;
      return { rewards, ranks, ...(labeler === undefined ? {} : { labeler }) };
    });
  }

  let measured: Measured[] = [];
  const pick = (indices: readonly number[]) => indices.map((i) => examples[i]!);
  const result = await trainingLoop({
    ctx,
    trainer: session.trainer,
    examples: examples.length,
    batch: (piece, whole) => batchOf(pick(piece), { K, size, of: whole.length, limit }),
    tokens: (indices) => pick(indices).reduce((n, { sequences }) => n + sequences.flat().length, 0),
    ...(held && {
      async evaluate() {
        measured = await measure(held);
        const { accuracy, interval } = agreement(measured, params.seed);
        return {
          eval_loss: mean(measured.flatMap(leads).map((d) => Math.log1p(Math.exp(-d)))),
          eval_accuracy: accuracy,
          eval_accuracy_low: interval.low,
          eval_accuracy_high: interval.high,
          eval_calibration_error: calibrationError(measured),
        };
      },
    }),
  });
  const order = batches(examples.length, params.batch_size, params.seed);
  let forwards = 0;
  for (let step = 0; step < result.steps; step++) {
    for (const { ranks } of pick(order.next().value)) forwards += ranks.length;
  }

  const demonstrations = inputs.center_on && (await readDemonstrations(inputs.center_on[0]!));
  const {
    bias,
    scale,
    metrics: centring,
  } = demonstrations
    ? normalisation(await score(demonstrations), params.normalize)
    : { bias: 0, scale: 1, metrics: {} };
  await session.save((dir, tuned) => {
    const scaled = { ...tuned[SCORE]!, data: tuned[SCORE]!.data.map((w) => w * scale) };
    return saveRewardModel(dir, model, { ...tuned, [SCORE]: scaled }, bias);
  });
  await session.trainer.dispose();

  const labelers = labelerTable(measured, params.seed);
  return {
    metrics: {
      loss: result.tail.loss!,
      first_loss: result.first_loss,
      accuracy: result.tail.accuracy!,
      ...result.evaluated,
      ...centring,
      comparisons: rankings.length,
      pairs: rankings.reduce((n, ranking) => n + pairsOf(ranking).length, 0),
      all_tied: tied,
      forwards,
      steps: result.steps,
    },
    ...(labelers === "" ? {} : { summary: `Agreement with the labelers of the eval data\n${labelers}\n` }),
  };

  async function readDemonstrations(data: { readonly dir: string }): Promise<number[][]> {
    const sequences: number[][] = [];
    for await (const row of readRows(data.dir))
      sequences.push(
        encodeExample(row, model.tokenizer, { max_length: params.max_length ?? model.geometry.maxLength })
          .ids,
      );
    return sequences;
  }
}

/** The bias after which the demonstrations average 0, and the scale of the head after which they have deviation 1. */
function normalisation(scores: readonly number[], normalize: RewardParams["normalize"]) {
  const center = mean(scores);
  const deviation = Math.sqrt(mean(scores.map((s) => (s - center) ** 2)));
  const scale = normalize === "mean_and_std" && deviation > 0 ? 1 / deviation : 1;
  return {
    scale,
    bias: -center * scale,
    metrics: { demonstrations_mean: center, demonstrations_std: deviation },
  };
}
