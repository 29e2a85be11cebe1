// Runs KTO: labelled answers → reference log-probs → before each step the KL, from answers beside foreign prompts → the step.
import type { OutputContext, Rows, RunResult, StageRun, TransformRun } from "../../engine/index.ts";
import type { Batch } from "../../tensor/index.ts";
import { mean } from "../compare/statistics.ts";
import { openBackend } from "../training/backend.ts";
import { drawn, evaluateAll, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import { supervised } from "../training/padding.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { openReference, openScorer, type Scorer } from "../training/reference.ts";
import { openSession } from "../training/session.ts";
import { type Answer, batchOf, lossOf, readAnswers, type Weights } from "./answers.ts";

export interface KtoParams extends TrainingParams, LoraParams, Weights {
  readonly beta: number;
  readonly max_length?: number;
}

/** Log-probs of answers under the reference, in nats, by the index of the answer. */
interface Reference {
  readonly own: number[];
  readonly foreign: number[];
}

export const kto: StageRun<KtoParams> = { run };

async function run(ctx: OutputContext<KtoParams>): Promise<RunResult> {
  const { params } = ctx;
  const size = params.micro_batch_size ?? params.batch_size;
  const policy = await openModel(ctx.inputs.model![0]!);
  const reference = await openReference(ctx.inputs.reference?.[0], policy);
  const backend = await openBackend(ctx);
  const scoring = { size, normalization: "sum" } as const;
  const answers = await readAnswers(ctx.inputs.data![0]!, policy, params.max_length);
  const held = ctx.inputs.eval && (await readAnswers(ctx.inputs.eval[0]!, policy, params.max_length));

  const still = openScorer(backend, reference, scoring);
  const scored = async (all: readonly Answer[], indices: readonly number[], name: string) => {
    const both = indices.flatMap((i) => [all[i]!.own, all[i]!.foreign]);
    const logprobs = await still.score(both, { ctx, name });
    const known: Reference = { own: [], foreign: [] };
    indices.forEach((i, k) => {
      known.own[i] = logprobs[2 * k]!;
      known.foreign[i] = logprobs[2 * k + 1]!;
    });
    return known;
  };
  const references = await scored(answers, drawn(params, answers.length), "reference");
  const heldReferences = held && (await scored(held, [...held.keys()], "reference-eval"));
  await still.dispose();

  const session = openSession(ctx, backend, policy, lossOf(params.beta));
  const { trainer } = session;
  // Between steps the weights stand still, so they are merged with adapters once.
  let weights = session.present();
  const moving = openScorer(backend, policy, { ...scoring, weights: () => weights });
  const present = async () => {
    if (params.lora) await trainer.settle();
    weights = session.present();
    return moving;
  };

  let kl = 0;
  const batch = (
    all: readonly Answer[],
    known: Reference,
    piece: readonly number[],
    whole: readonly number[],
  ): Batch =>
    batchOf(
      piece.map((i) => all[i]!),
      piece.map((i) => known.own[i]!),
      params,
      {
        size,
        of: whole.length,
        desirables: whole.filter((i) => all[i]!.desirable).length,
        kl,
        geometry: policy.geometry,
      },
    );

  const result = await trainingLoop({
    ctx,
    trainer,
    examples: answers.length,
    async before(whole) {
      kl = await klOf(await present(), answers, references, whole);
    },
    batch: (piece, whole) => batch(answers, references, piece, whole),
    tokens: (indices) => indices.reduce((n, i) => n + supervised(answers[i]!.own), 0),
    ...(held && {
      async evaluate() {
        const all = [...held.keys()];
        kl = await klOf(await present(), held, heldReferences!, all);
        const { loss, accuracy } = await evaluateAll({ ctx, trainer, examples: held.length, size }, (piece) =>
          batch(held, heldReferences!, piece, all),
        );
        return { eval_loss: loss!, eval_accuracy: accuracy! };
      },
    }),
  });
  await session.save();
  await moving.dispose();
  await trainer.dispose();
  return {
    metrics: {
      ...result.tail,
      first_loss: result.first_loss,
      ...result.evaluated,
      steps: result.steps,
      answers: answers.length,
      desirable: answers.filter(({ desirable }) => desirable).length,
    },
  };
}

/** max(0, mean of log π − log π_ref over foreign answers): what both say of them tells how far apart they are (Eq. 8). */
async function klOf(
  scorer: Scorer,
  answers: readonly Answer[],
  { foreign }: Reference,
  indices: readonly number[],
): Promise<number> {
  const now = await scorer.score(indices.map((i) => answers[i]!.foreign));
  return Math.max(0, mean(indices.map((i, k) => now[k]! - foreign[i]!)));
}

export const unpair: TransformRun = {
  async *transform(rows): Rows {
    for await (const { prompt, chosen, rejected } of rows) {
      yield { prompt: prompt!, completion: chosen!, label: true };
      yield { prompt: prompt!, completion: rejected!, label: false };
    }
  },
};
