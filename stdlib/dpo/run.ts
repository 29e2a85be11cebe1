// Runs DPO: pairs → reference log-probs, once → steps on chosen and rejected in one forward pass.
import {
  type OutputContext,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import {
  type Backend,
  createScorer,
  createTrainer,
  dpo as dpoLoss,
  sequenceLogprobs,
  tensor,
} from "../../tensor/index.ts";
import { encodePair } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { optimizerOf, trainingLoop } from "../training/loop.ts";
import { type OpenModel, openModel, saveModel } from "../training/model.ts";
import { type Example, pad, supervised } from "../training/padding.ts";
import type { TrainingParams } from "../training/params.ts";

export interface DpoParams extends TrainingParams {
  readonly beta: number;
  readonly loss: "sigmoid" | "hinge" | "ipo" | "robust";
  readonly label_smoothing: number;
  readonly max_length?: number;
}

interface Pair {
  readonly chosen: Example;
  readonly rejected: Example;
}

export const dpo: StageRun<DpoParams> = { run };

async function run(ctx: OutputContext<DpoParams>): Promise<RunResult> {
  const { params } = ctx;
  const policy = await openModel(ctx.inputs.model![0]!);
  const reference = ctx.inputs.reference ? await openModel(ctx.inputs.reference[0]!) : policy;
  const backend = await openBackend(ctx);
  const pairs = await readPairs(ctx, policy);
  const reference_logprobs = await scoreReference(backend, reference, pairs);

  const trainer = createTrainer({
    backend,
    config: policy.config,
    params: policy.params,
    optimizer: optimizerOf(params),
    max_grad_norm: params.max_grad_norm,
    // ids and mask [2B,T]: chosen above, rejected below; reference [2B]; weight [B], 0 for missing pairs.
    loss(b, model, { ids, mask, reference, weight }) {
      const size = weight!.shape[0]!;
      const logprobs = sequenceLogprobs(b, model.tokenLogprobs(ids!), mask!);
      const [chosen, rejected] = b.split(logprobs, 0, [size, size]);
      const [refChosen, refRejected] = b.split(reference!, 0, [size, size]);
      const result = dpoLoss(
        b,
        { chosen: chosen!, rejected: rejected!, refChosen: refChosen!, refRejected: refRejected! },
        { kind: params.loss, beta: params.beta, label_smoothing: params.label_smoothing },
      );
      const mean = (x: typeof result.losses) => b.div(b.sum(b.mul(x, weight!)), b.sum(weight!));
      return {
        loss: mean(result.losses),
        metrics: {
          accuracy: mean(result.accuracies),
          margin: mean(result.margins),
          chosen_reward: mean(result.chosenRewards),
          rejected_reward: mean(result.rejectedRewards),
        },
      };
    },
  });

  const size = params.batch_size;
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: pairs.length,
    batch(indices) {
      const rows: Example[] = [];
      const reference = new Float32Array(2 * size);
      const weight = new Float32Array(size);
      indices.forEach((pair, row) => {
        rows[row] = pairs[pair]!.chosen;
        rows[size + row] = pairs[pair]!.rejected;
        reference[row] = reference_logprobs.chosen[pair]!;
        reference[size + row] = reference_logprobs.rejected[pair]!;
        weight[row] = 1;
      });
      const filled = Array.from({ length: 2 * size }, (_, row) => rows[row] ?? empty);
      return { ...pad(filled), reference: tensor(reference, [2 * size]), weight: tensor(weight, [size]) };
    },
    tokens: (indices) =>
      indices.reduce((n, i) => n + supervised(pairs[i]!.chosen) + supervised(pairs[i]!.rejected), 0),
  });
  await saveModel(ctx.out, policy, trainer.params());
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
      steps: result.steps,
      pairs: pairs.length,
    },
  };
}

const empty: Example = { ids: [], mask: [] };

async function readPairs(ctx: OutputContext<DpoParams>, model: OpenModel): Promise<Pair[]> {
  const max_length = ctx.params.max_length ?? model.geometry.maxLength;
  const data = ctx.inputs.data![0]!;
  const pairs: Pair[] = [];
  let rows = 0;
  for await (const row of readRows(data.dir)) {
    rows++;
    const pair = encodePair(row, model.tokenizer, { max_length });
    if (supervised(pair.chosen) > 0 && supervised(pair.rejected) > 0) pairs.push(pair);
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

/** Summed log-probs of every chosen and rejected response under the reference; each distinct sequence is scored once. */
async function scoreReference(
  backend: Backend,
  reference: OpenModel,
  pairs: readonly Pair[],
): Promise<{ chosen: number[]; rejected: number[] }> {
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

  const scorer = createScorer({ backend, config: reference.config, params: reference.params });
  const todo = [...distinct.values()].sort((a, b) => a.example.ids.length - b.example.ids.length);
  const size = 64;
  for (let at = 0; at < todo.length; at += size) {
    const chunk = todo.slice(at, at + size);
    const { ids, mask } = pad(
      chunk.map(({ example }) => example),
      size,
    );
    const { data } = await scorer.sequenceLogprobs(ids, mask);
    chunk.forEach((item, row) => {
      item.logprob = data[row]!;
    });
  }
  await scorer.dispose();
  return {
    chosen: entries.map(({ chosen }) => chosen.logprob),
    rejected: entries.map(({ rejected }) => rejected.logprob),
  };
}
