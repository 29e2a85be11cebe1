// Evaluates: rows → answers → metrics against references; rows → loss of the references; intervals over rows.
import {
  type OutputContext,
  type RowData,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { stream } from "../../tensor/index.ts";
import { bootstrapInterval, mean, quantile } from "../compare/statistics.ts";
import { readPrompts } from "../generate/prompts.ts";
import { respond } from "../generate/respond.ts";
import { openBackend } from "../training/backend.ts";
import { openModel } from "../training/model.ts";
import { lossOf } from "./loss.ts";
import {
  type BleuCounts,
  bleu,
  bleuCounts,
  exactMatch,
  f1,
  type MetricName,
  rougeL,
  rougeN,
} from "./metrics.ts";
import { summaryOf } from "./summary.ts";

export interface EvaluateParams {
  readonly metrics?: readonly MetricName[];
  readonly max_new_tokens: number;
  readonly temperature: number;
  readonly until: readonly string[];
  readonly seed: number;
  readonly confidence: number;
  readonly resamples: number;
  readonly show: number;
}

export const evaluate: StageRun<EvaluateParams> = { run };

async function run(ctx: OutputContext<EvaluateParams>): Promise<RunResult> {
  const { params } = ctx;
  const data = ctx.inputs.data![0]!;
  const rows: RowData[] = [];
  for await (const row of readRows(data.dir)) rows.push(row);
  const open = rows.every((row) => row.prompt !== undefined);
  const wanted = params.metrics ?? usualMetrics(open);
  if (rows.length === 0 || (!open && wanted.some((name) => name !== "loss"))) {
    throw new TaskError({
      code: "no-prompts",
      message:
        rows.length === 0
          ? `${data.node} has no rows`
          : `${data.node} has rows without a prompt, of which only the loss can be taken`,
      help: "look at its filters, or give `metrics: [loss]`",
    });
  }
  const backend = await openBackend(ctx);
  const model = await openModel(ctx.inputs.model![0]!, { encoders: true });
  const answered = wanted.some((name) => name !== "loss");
  const metrics: Record<string, number> = { rows: rows.length };
  let found: Answered[] = [];
  if (answered) {
    const total = rows.length;
    const prompts = await readPrompts(data, model.tokenizer);
    const { temperature, max_new_tokens, seed } = params;
    const sampling = { temperature, max_new_tokens, seed, top_k: 0, top_p: 1, samples: 1 };
    const report = (done: number) => ctx.progress({ done, total, unit: "answers" });
    const responses = await respond(backend, model, prompts, sampling, report, {
      journal: ctx.journal,
      name: "evaluate",
    });
    found = rows.map((row, i) => measured(row, cut(responses[i]![0]!.text, params.until), i + 1));
    Object.assign(metrics, textMetrics(found, wanted, params));
  }
  if (wanted.includes("loss")) Object.assign(metrics, await lossOf(backend, model, rows, ctx));
  await writeRows(
    ctx.out,
    found.map(({ prompt, answer, references, scores }) => ({ prompt, answer, references, ...scores })),
  );
  return { metrics, summary: summaryOf(metrics, found, params) };
}

/** What is measured unless it is said: of texts without a prompt only the loss. */
export const usualMetrics = (open: boolean): readonly MetricName[] =>
  open ? ["exact_match", "f1", "rouge", "bleu", "loss"] : ["loss"];

/** Before the first of the ends, without the white space around. */
function cut(text: string, until: readonly string[]): string {
  const ends = until.map((end) => text.indexOf(end)).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends)).trim();
}

export interface Answered {
  readonly prompt: Json;
  readonly answer: string;
  readonly references: readonly string[];
  /** Each with the best reference. */
  readonly scores: Readonly<Record<"exact_match" | "f1" | "rouge1" | "rouge2" | "rougeL", number>>;
  readonly bleu: BleuCounts;
}

function measured(row: RowData, answer: string, number: number): Answered {
  const references = referencesOf(row, number);
  const best = (metric: (answer: string, reference: string) => number) =>
    Math.max(...references.map((reference) => metric(answer, reference)));
  return {
    prompt: row.prompt!,
    answer,
    references,
    scores: {
      exact_match: best(exactMatch),
      f1: best(f1),
      rouge1: best((a, b) => rougeN(a, b, 1)),
      rouge2: best((a, b) => rougeN(a, b, 2)),
      rougeL: best(rougeL),
    },
    bleu: bleuCounts(answer, references),
  };
}

function referencesOf(row: RowData, number: number): string[] {
  const given = Array.isArray(row.references) ? row.references : [row.completion];
  if (given.length > 0 && given.every((text) => typeof text === "string"))
    return given.map((text) => (text as string).trim());
  throw new TaskError({
    code: "wrong-column",
    message: `row ${number} has no text in completion, and no list of texts in references`,
    help: "name them: `|> select(prompt: …, completion: …)`",
  });
}

function textMetrics(
  found: readonly Answered[],
  wanted: readonly string[],
  params: EvaluateParams,
): Record<string, number> {
  const metrics: Record<string, number> = {};
  const add = (name: keyof Answered["scores"], interval: boolean) => {
    const values = found.map(({ scores }) => scores[name]);
    metrics[name] = mean(values);
    if (!interval) return;
    const { low, high } = bootstrapInterval(values, params);
    Object.assign(metrics, { [`${name}_low`]: low, [`${name}_high`]: high });
  };
  if (wanted.includes("exact_match")) add("exact_match", true);
  if (wanted.includes("f1")) add("f1", true);
  if (wanted.includes("rouge")) {
    add("rouge1", false);
    add("rouge2", false);
    add("rougeL", true);
  }
  if (wanted.includes("bleu")) {
    const counts = found.map((row) => row.bleu);
    Object.assign(metrics, { bleu: bleu(counts), ...bleuInterval(counts, params) });
  }
  return metrics;
}

/** BLEU is no mean of rows, so that it is computed anew of every resample. */
function bleuInterval(counts: readonly BleuCounts[], { seed, resamples, confidence }: EvaluateParams) {
  const random = stream(seed).split("bootstrap bleu");
  const values = Float64Array.from({ length: resamples }, () =>
    bleu(counts.map(() => counts[random.int(counts.length)]!)),
  ).sort();
  const tail = (1 - confidence) / 2;
  return { bleu_low: quantile(values, tail), bleu_high: quantile(values, 1 - tail) };
}
