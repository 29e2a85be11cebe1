// Classifies: rows → questions → log p of every choice → the likeliest → accuracy over templates, with intervals.
import { type OutputContext, type RunResult, type StageRun, writeRows } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { mean } from "../compare/statistics.ts";
import { openBackend } from "../training/backend.ts";
import { openModel } from "../training/model.ts";
import { type Asking, type Item, readItems } from "./items.ts";
import { type Scored, type Scoring, scoreItems, scorings } from "./score.ts";
import { type Answer, byDataset, intervalOf } from "./statistics.ts";
import { summaryOf } from "./summary.ts";

export interface ClassifyParams extends Asking {
  readonly scoring: Scoring;
  readonly max_length?: number;
  readonly delimiter: string;
  readonly confidence: number;
  readonly resamples: number;
}

export const classify: StageRun<ClassifyParams> = { run };

async function run(ctx: OutputContext<ClassifyParams>): Promise<RunResult> {
  const { params, inputs } = ctx;
  const items = await readItems(inputs.data!, inputs.examples?.[0], params);
  const backend = await openBackend(ctx);
  const models = [inputs.model![0]!, ...(inputs.baseline ?? [])];
  const scored: Scored[][] = [];
  for (const [index, model] of models.entries()) {
    const before = index * items.length;
    scored.push(
      await scoreItems(backend, await openModel(model, { encoders: true }), items, {
        ...params,
        onProgress: (done) =>
          ctx.progress({ done: before + done, total: models.length * items.length, unit: "prompts" }),
      }),
    );
  }
  const [own, baseline] = scored as [Scored[], Scored[] | undefined];
  await writeRows(
    ctx.out,
    items.map((item, i) => rowOf(item, own[i]!, params.scoring)),
  );

  const answers = answersOf(items, own, params.scoring);
  const statistics = byDataset(answers);
  const interval = intervalOf(answers, params);
  const over = (by: Scoring) => mean(byDataset(answersOf(items, own, by)).map((dataset) => dataset.mean));
  const metrics: Record<string, number> = {
    accuracy: mean(statistics.map((dataset) => dataset.mean)),
    accuracy_low: interval.low,
    accuracy_high: interval.high,
    ...Object.fromEntries(scorings.map((by) => [`accuracy_${by}`, over(by)])),
    median: mean(statistics.map(({ median }) => median)),
    iqr: mean(statistics.map(({ iqr }) => iqr)),
    best: mean(statistics.map(({ best }) => best)),
    mass: massOf(own),
    chance: mean(items.map(({ choices, labels }) => labels.length / choices.length)),
    examples: statistics.reduce((sum, dataset) => sum + dataset.examples, 0),
    prompts: items.length,
  };
  if (baseline) Object.assign(metrics, against(baseline, answers, items, params));
  return { metrics, summary: summaryOf(metrics, statistics, params) };
}

function answersOf(items: readonly Item[], scored: readonly Scored[], by: Scoring): Answer[] {
  return items.map(({ dataset, template, example, labels }, i) => ({
    dataset,
    template,
    example,
    value: labels.includes(scored[i]!.predictions[by]) ? 1 : 0,
  }));
}

/** The same prompts, so gains are paired. */
function against(
  baseline: readonly Scored[],
  answers: readonly Answer[],
  items: readonly Item[],
  params: ClassifyParams,
): Record<string, number> {
  const theirs = answersOf(items, baseline, params.scoring);
  const statistics = byDataset(theirs);
  const gains = answers.map((answer, i) => ({ ...answer, value: answer.value - theirs[i]!.value }));
  const { low, high } = intervalOf(gains, params);
  return {
    baseline_accuracy: mean(statistics.map((dataset) => dataset.mean)),
    baseline_median: mean(statistics.map(({ median }) => median)),
    baseline_iqr: mean(statistics.map(({ iqr }) => iqr)),
    baseline_mass: massOf(baseline),
    gain: mean(byDataset(gains).map((dataset) => dataset.mean)),
    gain_low: low,
    gain_high: high,
  };
}

function massOf(scored: readonly Scored[]): number {
  return mean(scored.map(({ logprobs }) => logprobs.reduce((sum, x) => sum + Math.exp(x), 0)));
}

function rowOf(
  item: Item,
  { logprobs, tokens, predictions, shots }: Scored,
  by: Scoring,
): Record<string, Json> {
  const { dataset, template, example, prompt, choices, labels } = item;
  return {
    dataset,
    template,
    example,
    prompt,
    choices,
    labels,
    logprobs,
    tokens,
    shots,
    prediction: predictions[by],
    correct: labels.includes(predictions[by]),
  };
}
