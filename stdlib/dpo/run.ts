// Runs DPO: pairs → reference log-probs, once → steps on chosen and rejected in one forward pass.
import {
  type Artifact,
  type OutputContext,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import {
  type Backend,
  type Batch,
  createEvaluator,
  dpo as dpoLoss,
  type Geometry,
  type LossFn,
  tensor,
  type Value,
} from "../../tensor/index.ts";
import { encodePair } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { chunks, evaluateAll, trainingLoop } from "../training/loop.ts";
import { type ModelShell, type OpenModel, openModel } from "../training/model.ts";
import { type Example, pad, supervised } from "../training/padding.ts";
import type { LoraParams, TrainingParams } from "../training/params.ts";
import { openSession } from "../training/session.ts";
import { rowSums, supervision } from "../training/supervision.ts";

export interface DpoParams extends TrainingParams, LoraParams {
  readonly beta: number;
  readonly loss: "sigmoid" | "hinge" | "ipo" | "robust";
  readonly label_smoothing: number;
  readonly max_length?: number;
}

export interface Pair {
  readonly chosen: Example;
  readonly rejected: Example;
  /** Summed log-probs of the two under the reference, in nats. */
  readonly reference: readonly [chosen: number, rejected: number];
}

export const dpo: StageRun<DpoParams> = { run };

async function run(ctx: OutputContext<DpoParams>): Promise<RunResult> {
  const { params } = ctx;
  const size = params.micro_batch_size ?? params.batch_size;
  const policy = await openModel(ctx.inputs.model![0]!);
  // With LoRA too: adapters start at zero, so the policy's own weights are the reference and none are copied.
  const reference = ctx.inputs.reference ? await openModel(ctx.inputs.reference[0]!) : policy;
  const backend = await openBackend(ctx);
  const read = async (data: Artifact) =>
    scoreReference(backend, reference, await readPairs(data, policy, params.max_length), 2 * size);
  const pairs = await read(ctx.inputs.data![0]!);
  const held = ctx.inputs.eval && (await read(ctx.inputs.eval[0]!));

  const { trainer, save } = openSession(ctx, backend, policy, lossOf(params));
  const batch = (chosen: readonly Pair[], of: number) =>
    batchOf(chosen, { size, of, geometry: policy.geometry });

  const pick = (indices: readonly number[]) => indices.map((i) => pairs[i]!);
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: pairs.length,
    batch: (piece, whole) => batch(pick(piece), whole.length),
    tokens: (indices) =>
      pick(indices).reduce((n, { chosen, rejected }) => n + supervised(chosen) + supervised(rejected), 0),
    ...(held && {
      async evaluate() {
        const pieces = chunks([...held.keys()], size).map((piece) => piece.map((i) => held[i]!));
        const { loss, accuracy, margin } = await evaluateAll(
          trainer,
          pieces.map((piece) => batch(piece, held.length)),
        );
        return { eval_loss: loss!, eval_accuracy: accuracy!, eval_margin: margin! };
      },
    }),
  });
  await save();
  await trainer.dispose();
  const { loss, accuracy, margin, chosen_reward, rejected_reward } = result.tail as Record<string, number>;
  return {
    metrics: {
      loss: loss!,
      first_loss: result.first_loss,
      accuracy: accuracy!,
      margin: margin!,
      chosen_reward: chosen_reward!,
      rejected_reward: rejected_reward!,
      ...result.evaluated,
      steps: result.steps,
      pairs: pairs.length,
    },
  };
}

/** ids [2B,T] and reference [2B]: chosen and rejected in turn; weight [B], 0 for missing pairs; pairs [] of the whole batch. */
export function lossOf(params: Pick<DpoParams, "loss" | "beta" | "label_smoothing">): LossFn {
  return (b, model, inputs) => {
    const { reference, weight, pairs } = inputs as { [name: string]: Value } & Record<
      "reference" | "weight" | "pairs",
      Value
    >;
    const size = weight.shape[0]!;
    const two = (x: Value) =>
      b.split(b.reshape(x, [size, 2]), 1, [1, 1]).map((part) => b.reshape(part, [size]));
    const [chosen, rejected] = two(rowSums(b, model, inputs));
    const [refChosen, refRejected] = two(reference);
    const result = dpoLoss(
      b,
      { chosen: chosen!, rejected: rejected!, refChosen: refChosen!, refRejected: refRejected! },
      { kind: params.loss, beta: params.beta, label_smoothing: params.label_smoothing },
    );
    const mean = (x: Value) => b.div(b.sum(b.mul(x, weight)), pairs);
    return {
      loss: mean(result.losses),
      metrics: {
        accuracy: mean(result.accuracies),
        margin: mean(result.margins),
        chosen_reward: mean(result.chosenRewards),
        rejected_reward: mean(result.rejectedRewards),
      },
    };
  };
}

/** `size` pairs, of which the last may be empty, out of a step's `of`. */
export function batchOf(
  chosen: readonly Pair[],
  { size, of, geometry }: { readonly size: number; readonly of: number; readonly geometry: Geometry },
): Batch {
  const reference = new Float32Array(2 * size);
  const weight = new Float32Array(size);
  chosen.forEach((pair, row) => {
    reference.set(pair.reference, 2 * row);
    weight[row] = 1;
  });
  const { ids, mask } = pad(
    chosen.flatMap((pair) => [pair.chosen, pair.rejected]),
    2 * size,
    geometry.maxLength,
  );
  return {
    ids,
    ...supervision(ids, mask, geometry.vocabSize),
    reference: tensor(reference, [2 * size]),
    weight: tensor(weight, [size]),
    pairs: of,
  };
}

type Unscored = Omit<Pair, "reference">;

export async function readPairs(
  data: Pick<Artifact, "dir" | "node">,
  model: ModelShell,
  limit: number | undefined,
): Promise<Unscored[]> {
  const max_length = limit ?? model.geometry.maxLength;
  const pairs: Unscored[] = [];
  let rows = 0;
  for await (const row of readRows(data.dir)) {
    rows++;
    const { chosen, rejected } = encodePair(row, model.tokenizer, { max_length });
    if (supervised(chosen) > 0 && supervised(rejected) > 0) pairs.push({ chosen, rejected });
  }
  if (pairs.length === 0) {
    throw new TaskError({
      code: "no-pairs",
      message: `none of the ${rows} pairs of ${data.node} has both responses within ${max_length} tokens`,
      help: rows === 0 ? "look at the stage that made them: were all scores tied?" : "raise max_length",
    });
  }
  return pairs;
}

/** Summed log-probs of every chosen and rejected response under the reference, `size` at a time; each distinct sequence is scored once. */
async function scoreReference(
  backend: Backend,
  reference: OpenModel,
  pairs: readonly Unscored[],
  size: number,
): Promise<Pair[]> {
  const distinct = new Map<string, { example: Example; logprob: number }>();
  const entry = (example: Example) => {
    const key = `${example.mask.indexOf(true)}:${example.ids.join(" ")}`;
    const known = distinct.get(key);
    if (known) return known;
    const made = { example, logprob: Number.NaN };
    distinct.set(key, made);
    return made;
  };
  const entries = pairs.map(({ chosen, rejected }) => ({ chosen: entry(chosen), rejected: entry(rejected) }));

  const { vocabSize, maxLength } = reference.geometry;
  // The sums of the training graph itself, so that the first margin is exactly zero.
  const scorer = createEvaluator({
    backend,
    models: { reference },
    build: (b, { reference }, inputs) => ({ sums: rowSums(b, reference!, inputs) }),
  });
  const todo = [...distinct.values()].sort((a, b) => a.example.ids.length - b.example.ids.length);
  for (let at = 0; at < todo.length; at += size) {
    const chunk = todo.slice(at, at + size);
    const { ids, mask } = pad(
      chunk.map(({ example }) => example),
      size,
      maxLength,
    );
    const { sums } = await scorer.run({ ids, ...supervision(ids, mask, vocabSize) });
    chunk.forEach((item, row) => {
      item.logprob = sums!.data[row]!;
    });
  }
  await scorer.dispose();
  return pairs.map((pair, i) => ({
    ...pair,
    reference: [entries[i]!.chosen.logprob, entries[i]!.rejected.logprob],
  }));
}
