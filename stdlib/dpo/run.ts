// Runs DPO and its relatives: pairs → reference log-probs → steps on chosen and rejected in one forward pass.
import type { Artifact, OutputContext, RunResult, StageRun } from "../../engine/index.ts";
import { openBackend } from "../training/backend.ts";
import { drawn, evaluateAll, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import { movingReference } from "../training/moving-reference.ts";
import { supervised } from "../training/padding.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { type LongPass, openReference, openScorer, type Scorer } from "../training/reference.ts";
import { openSession } from "../training/session.ts";
import { type LossParams, lossOf, normalizationOf, referenceFree } from "./losses.ts";
import { batchOf, type Pair, type PairReference, readPairs } from "./pairs.ts";

export interface DpoParams extends TrainingParams, LoraParams, LossParams {
  readonly max_length?: number;
  readonly sync_reference_every?: number;
  readonly sync_reference_mixup: number;
}

export const dpo: StageRun<DpoParams> = { run };

async function run(ctx: OutputContext<DpoParams>): Promise<RunResult> {
  const { params } = ctx;
  const size = params.micro_batch_size ?? params.batch_size;
  const policy = await openModel(ctx.inputs.model![0]!);
  const reference = await openReference(ctx.inputs.reference?.[0], policy);
  const backend = await openBackend(ctx);
  const scoring = { size: 2 * size, normalization: normalizationOf(params) };
  const scorer = referenceFree(params.loss) ? undefined : openScorer(backend, reference, scoring);
  const read = (data: Artifact) => readPairs(data, policy, params.max_length);
  const pairs = await read(ctx.inputs.data![0]!);
  const held = ctx.inputs.eval && (await read(ctx.inputs.eval[0]!));
  // One that follows is asked before every step.
  const follows = params.sync_reference_every !== undefined;
  const known = follows ? [] : drawn(params, pairs.length);
  const first = await scored(at(pairs, known), scorer, { ctx, name: "reference" });
  const references: PairReference[] = [];
  first.forEach((reference, k) => {
    references[known[k]!] = reference;
  });
  const heldReferences = held && (await scored(held, scorer, { ctx, name: "reference-eval" }));
  await scorer?.dispose();

  const session = openSession(ctx, backend, policy, lossOf(params));
  const { trainer, save } = session;
  const moving = follows
    ? movingReference(backend, { start: reference, policy }, session, {
        ...scoring,
        every: params.sync_reference_every!,
        mixup: params.sync_reference_mixup,
      })
    : undefined;
  const batch = (
    all: readonly Pair[],
    known: readonly PairReference[],
    indices: readonly number[],
    of: number,
  ) =>
    batchOf(
      at(all, indices),
      indices.flatMap((i) => (known[i] ? [known[i]] : [])),
      { size, of, geometry: policy.geometry },
    );

  const result = await trainingLoop({
    ctx,
    trainer,
    examples: pairs.length,
    batch: (piece, whole) => batch(pairs, references, piece, whole.length),
    tokens: (indices) =>
      indices.reduce((n, i) => n + supervised(pairs[i]!.chosen) + supervised(pairs[i]!.rejected), 0),
    ...(moving && {
      beside: moving,
      async before(whole: readonly number[], step: number) {
        await moving.follow(step);
        const fresh = await scored(at(pairs, whole), moving.scorer);
        whole.forEach((i, k) => {
          references[i] = fresh[k]!;
        });
      },
    }),
    ...(held && {
      async evaluate() {
        const all = await evaluateAll({ ctx, trainer, examples: held.length, size }, (piece) =>
          batch(held, heldReferences!, piece, held.length),
        );
        const { loss, accuracy, margin } = all as Record<"loss" | "accuracy" | "margin", number>;
        return { eval_loss: loss, eval_accuracy: accuracy, eval_margin: margin };
      },
    }),
  });
  await save();
  await moving?.scorer.dispose();
  await trainer.dispose();
  return {
    metrics: {
      ...result.tail,
      first_loss: result.first_loss,
      ...result.evaluated,
      steps: result.steps,
      pairs: pairs.length,
    },
  };
}

/** Both responses of every pair; nothing where there is no reference. */
async function scored(
  pairs: readonly Pair[],
  scorer: Scorer | undefined,
  long?: LongPass,
): Promise<PairReference[]> {
  if (!scorer) return [];
  const logprobs = await scorer.score(
    pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]),
    long,
  );
  return pairs.map((_, i) => [logprobs[2 * i]!, logprobs[2 * i + 1]!]);
}

const at = (pairs: readonly Pair[], indices: readonly number[]): Pair[] => indices.map((i) => pairs[i]!);
