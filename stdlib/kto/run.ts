// Runs KTO: labelled answers → reference log-probs → before each step the KL, from answers beside foreign prompts → the step.
import {
  type Artifact,
  type OutputContext,
  type Rows,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
  type TransformRun,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Batch, kto as ktoLoss, type LossFn, tensor, type Value } from "../../tensor/index.ts";
import { mean } from "../compare/statistics.ts";
import { wrongColumn } from "../data/row-text.ts";
import { encodeExample } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { chunks, evaluateAll, trainingLoop } from "../training/loop.ts";
import { type OpenModel, openModel } from "../training/model.ts";
import { type Example, pad, supervised } from "../training/padding.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { openScorer, type Scorer } from "../training/reference.ts";
import { openSession } from "../training/session.ts";
import { rowSums, supervision } from "../training/supervision.ts";

export interface KtoParams extends TrainingParams, LoraParams {
  readonly beta: number;
  readonly desirable_weight: number;
  readonly undesirable_weight: number;
  readonly max_length?: number;
}

interface Answer {
  readonly own: Example;
  /** The answer of the next row behind this row's prompt. */
  readonly foreign: Example;
  readonly desirable: boolean;
}

/** Log-probs under the reference, in nats. */
interface Reference {
  readonly own: readonly number[];
  readonly foreign: readonly number[];
}

export const kto: StageRun<KtoParams> = { run };

async function run(ctx: OutputContext<KtoParams>): Promise<RunResult> {
  const { params } = ctx;
  const size = params.micro_batch_size ?? params.batch_size;
  const policy = await openModel(ctx.inputs.model![0]!);
  const reference = ctx.inputs.reference ? await openModel(ctx.inputs.reference[0]!) : policy;
  const backend = await openBackend(ctx);
  const scoring = { size, normalization: "sum" } as const;
  const answers = await readAnswers(ctx.inputs.data![0]!, policy, params.max_length);
  const held = ctx.inputs.eval && (await readAnswers(ctx.inputs.eval[0]!, policy, params.max_length));

  const still = openScorer(backend, reference, scoring);
  const scored = async (all: readonly Answer[]): Promise<Reference> => ({
    own: await still.score(all.map(({ own }) => own)),
    foreign: await still.score(all.map(({ foreign }) => foreign)),
  });
  const references = await scored(answers);
  const heldReferences = held && (await scored(held));
  await still.dispose();

  const session = openSession(ctx, backend, policy, lossOf(params));
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
  ): Batch => {
    const desirables = whole.filter((i) => all[i]!.desirable).length;
    return {
      ...batchOf(
        piece.map((i) => all[i]!),
        piece.map((i) => known.own[i]!),
        size,
        policy,
        params,
      ),
      kl,
      answers: whole.length,
      desirables: Math.max(1, desirables),
      others: Math.max(1, whole.length - desirables),
    };
  };

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
        const pieces = chunks(all, size).map((piece) => batch(held, heldReferences!, piece, all));
        const { loss, accuracy } = await evaluateAll(trainer, pieces);
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

/** ids [B,T]; reference, desirable (1 or 0) and weight (0 for missing answers) [B]; kl, and counts of the whole batch, []. */
function lossOf({ beta }: KtoParams): LossFn {
  return (b, model, inputs) => {
    const { reference, desirable, weight, present, kl, answers, desirables, others } = inputs as Record<
      string,
      Value
    >;
    const ratios = b.sub(rowSums(b, model, inputs), reference!);
    const { losses, rewards } = ktoLoss(b, ratios, { beta, kl: kl!, desirable: desirable! });
    const over = (x: Value, which: Value, count: Value) => b.div(b.sum(b.mul(x, which)), count);
    const other = b.sub(present!, desirable!);
    const above = b.cast(b.greater(ratios, kl!), "f32");
    const right = b.add(b.mul(above, desirable!), b.mul(b.sub(1, above), other));
    return {
      loss: over(losses, weight!, answers!),
      metrics: {
        accuracy: over(right, present!, answers!),
        desirable_reward: over(rewards, desirable!, desirables!),
        undesirable_reward: over(rewards, other, others!),
        kl: over(b.mul(present!, kl!), present!, answers!),
      },
    };
  };
}

function batchOf(
  answers: readonly Answer[],
  known: readonly number[],
  size: number,
  { geometry }: OpenModel,
  params: KtoParams,
): Batch {
  const column = (of: (answer: Answer, i: number) => number) => {
    const data = new Float32Array(size);
    answers.forEach((answer, i) => {
      data[i] = of(answer, i);
    });
    return tensor(data, [size]);
  };
  const { ids, mask } = pad(
    answers.map(({ own }) => own),
    size,
    geometry.maxLength,
  );
  return {
    ids,
    ...supervision(ids, mask, geometry.vocabSize),
    reference: column((_, i) => known[i]!),
    desirable: column(({ desirable }) => Number(desirable)),
    weight: column(({ desirable }) => (desirable ? params.desirable_weight : params.undesirable_weight)),
    present: column(() => 1),
  };
}

/** Answers of which something is within `limit` tokens, also behind the prompt of the row before. */
async function readAnswers(data: Artifact, model: OpenModel, limit: number | undefined): Promise<Answer[]> {
  const max_length = limit ?? model.geometry.maxLength;
  const rows: { readonly prompt: Json; readonly completion: Json; readonly desirable: boolean }[] = [];
  for await (const row of readRows(data.dir)) {
    if (typeof row.label !== "boolean") throw wrongColumn(row, "label", rows.length + 1, "true or false");
    rows.push({ prompt: row.prompt!, completion: row.completion!, desirable: row.label });
  }
  const encoded = (prompt: Json, completion: Json): Example =>
    encodeExample({ prompt, completion }, model.tokenizer, { max_length });
  const answers = rows.flatMap(({ prompt, completion, desirable }, i) => {
    const own = encoded(prompt, completion);
    const foreign = encoded(prompt, rows[(i + 1) % rows.length]!.completion);
    return supervised(own) > 0 && supervised(foreign) > 0 ? [{ own, foreign, desirable }] : [];
  });
  if (answers.length > 0) return answers;
  throw new TaskError({
    code: "no-answers",
    message: `none of the ${rows.length} answers of ${data.node} fits within ${max_length} tokens`,
    help: rows.length === 0 ? "look at the stage that made them" : "raise max_length",
  });
}

export const unpair: TransformRun = {
  async *transform(rows): Rows {
    for await (const { prompt, chosen, rejected } of rows) {
      yield { prompt: prompt!, completion: chosen!, label: true };
      yield { prompt: prompt!, completion: rejected!, label: false };
    }
  },
};
