// Compares: same prompts, same random numbers, two models → scores → paired differences, intervals, KL.
import {
  type OutputContext,
  type RunResult,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Backend, createScorer } from "../../tensor/index.ts";
import { inOrder } from "../assistant/in-order.ts";
import { type Prompt, readPrompts } from "../generate/prompts.ts";
import { type Response, respond, type Sampling } from "../generate/respond.ts";
import { openJudge } from "../judge/index.ts";
import type { Side } from "../judge/pairs.ts";
import { type GivenVerdictParams, verdictsOf } from "../judge/verdict-params.ts";
import { openBackend } from "../training/backend.ts";
import { type OpenModel, openModel } from "../training/model.ts";
import { pad } from "../training/padding.ts";
import { type Duel, decide, metricsOf, type Outcome } from "./duel.ts";
import { bootstrapInterval, mean } from "./statistics.ts";
import { summaryOf } from "./summary.ts";

export interface CompareParams extends Sampling, Omit<GivenVerdictParams, "seed"> {
  readonly confidence: number;
  readonly resamples: number;
  readonly show: number;
}

/** One prompt with what both models made of it. */
export interface Comparison {
  readonly prompt: Json;
  readonly responses: readonly string[];
  readonly baseline_responses: readonly string[];
  readonly scores: readonly number[];
  readonly baseline_scores: readonly number[];
  /** Of a judge that saw both: who was preferred in each order, and what it came to. */
  readonly orders?: readonly (readonly [Side, Side])[];
  readonly points?: readonly (number | null)[];
  /** Mean over the samples, nats. */
  readonly kl: number;
}

export const compare: StageRun<CompareParams> = { run };

async function run(ctx: OutputContext<CompareParams>): Promise<RunResult> {
  const { params, inputs, journal } = ctx;
  const backend = await openBackend(ctx);
  const model = await openModel(inputs.model![0]!);
  const baseline = await openModel(inputs.baseline![0]!);
  const judge = await openJudge(inputs.judge![0]!, ctx, verdictsOf(params));
  const prompts = await readPrompts(inputs.prompts![0]!, model.tokenizer);

  const each = prompts.length * params.samples;
  const report = (before: number) => (done: number) =>
    ctx.progress({ done: before + done, total: 2 * each, unit: "responses" });
  const after = await respond(backend, model, prompts, params, report(0), { journal, name: "model" });
  const forBaseline = await readPrompts(inputs.prompts![0]!, baseline.tokenizer);
  const before = await respond(backend, baseline, forBaseline, params, report(each), {
    journal,
    name: "baseline",
  });
  const kl = await sequenceKl(backend, model, baseline, prompts, after);

  const decided: Outcome[][] = [];
  const duels = prompts.map(({ prompt, row }, i) =>
    after[i]!.map(({ text }, k) => ({ prompt, row, response: text, baseline: before[i]![k]!.text })),
  );
  const decideAll = (samples: readonly Duel[]) =>
    judge.prefer
      ? Promise.all(samples.map((duel) => decide(judge, journal, duel)))
      : oneByOne(samples, (duel) => decide(judge, journal, duel));
  for await (const outcomes of inOrder(duels, judge.concurrency ?? 1, decideAll)) decided.push(outcomes);
  await judge.dispose?.();

  const rows = prompts.map(
    ({ prompt }, i): Comparison => ({
      prompt,
      responses: after[i]!.map(({ text }) => text),
      baseline_responses: before[i]!.map(({ text }) => text),
      // A judge that sees both gives points instead of scores; without a verdict nobody is ahead.
      scores: decided[i]!.map(({ scores, points }) => scores?.[0] ?? points ?? 0.5),
      baseline_scores: decided[i]!.map(({ scores, points }) => scores?.[1] ?? 1 - (points ?? 0.5)),
      ...(judge.prefer && {
        orders: decided[i]!.map(({ orders }) => orders!),
        points: decided[i]!.map(({ points }) => points),
      }),
      kl: mean(kl[i]!),
    }),
  );
  await writeRows(ctx.out, rows as unknown as Record<string, Json>[]);

  // The unit of the bootstrap is the prompt: samples of one prompt are not independent.
  const scores = rows.map((row) => mean(row.scores));
  const baselines = rows.map((row) => mean(row.baseline_scores));
  const gains = scores.map((score, i) => score - baselines[i]!);
  const interval = (values: readonly number[]) =>
    bootstrapInterval(values, {
      seed: params.seed,
      resamples: params.resamples,
      confidence: params.confidence,
    });
  const gain = interval(gains);
  const wins = metricsOf(
    duels.map((samples, i) => ({
      outcomes: decided[i]!,
      lengths: samples.map(({ response, baseline }) => [response.length, baseline.length]),
    })),
    params,
  );
  const lengths = (all: readonly Response[][]) => mean(all.flat().map(({ ids }) => ids.length));
  const metrics = {
    score: mean(scores),
    baseline_score: mean(baselines),
    gain: mean(gains),
    gain_low: gain.low,
    gain_high: gain.high,
    ...wins,
    kl: mean(rows.map((row) => row.kl)),
    length: lengths(after),
    baseline_length: lengths(before),
    prompts: rows.length,
  };
  return { metrics, summary: summaryOf(metrics, rows, params) };
}

async function oneByOne<A, B>(items: readonly A[], f: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (const item of items) results.push(await f(item));
  return results;
}

/**
 * Σ_t KL(π(·|x,y<t) ‖ π_base(·|x,y<t)) over the tokens of each response, in nats: the mean sequence KL of
 * DPO §6.1 without the noise of a one-sample estimate.
 */
async function sequenceKl(
  backend: Backend,
  model: OpenModel,
  baseline: OpenModel,
  prompts: readonly Prompt[],
  responses: readonly Response[][],
): Promise<number[][]> {
  if (model.geometry.vocabSize !== baseline.geometry.vocabSize) {
    throw new TaskError({
      code: "vocabulary-mismatch",
      message: `KL needs one vocabulary: the model has ${model.geometry.vocabSize} tokens, the baseline ${baseline.geometry.vocabSize}`,
      help: "compare models that share a tokenizer",
    });
  }
  const scorer = createScorer({
    backend,
    config: model.config,
    params: model.params,
    reference: { config: baseline.config, params: baseline.params },
  });
  const kl = responses.map((samples) => samples.map(() => 0));
  const work = responses
    .flatMap((samples, i) =>
      samples.map((response, k) => ({
        i,
        k,
        ids: [...prompts[i]!.ids, ...response.ids],
        mask: [...prompts[i]!.ids.map(() => false), ...response.ids.map(() => true)],
      })),
    )
    .sort((a, b) => a.ids.length - b.ids.length || a.i - b.i || a.k - b.k);
  const size = 32;
  for (let at = 0; at < work.length; at += size) {
    const chunk = work.slice(at, at + size);
    const { ids, mask } = pad(chunk, size);
    const { data } = await scorer.kl(ids, mask);
    chunk.forEach(({ i, k }, row) => {
      kl[i]![k] = data[row]!;
    });
  }
  await scorer.dispose();
  return kl;
}
