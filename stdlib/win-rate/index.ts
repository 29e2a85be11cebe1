// Declares `win_rate` and `judge_report`: responses against others that are there already, and what is to be thought of those who judged.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { duelMetrics } from "../compare/metrics.ts";
import { rubricProblems, verdictParams } from "../judge/verdict-params.ts";

const confidence = Type.Number({
  exclusiveMinimum: 0,
  exclusiveMaximum: 1,
  default: 0.95,
  description: "Of the intervals.",
  "x-unit": "fraction",
  "x-source": "custom of the field",
});

/** A row of what `win_rate` leaves, and of what the importers of judgments make. */
const duels = dataset({
  name: "Duels",
  columns: { prompt: "any", response: "string", baseline: "string", points: "any", orders: "any" },
});

export const winRate = defineStage(
  {
    name: "win_rate",
    version: 1,
    doc: "Responses against a baseline's to the same prompts, before a judge: AlpacaEval's win rate against frozen answers. An assistant sees both, in both orders.",
    inputs: [
      {
        name: "responses",
        type: dataset(rows.Response),
        doc: "Those in question; the first of each row counts.",
      },
      {
        name: "baseline",
        type: dataset(rows.Response),
        doc: "What they are held against, matched by prompt.",
      },
      { name: "judge", type: { kind: "judge" }, doc: "Who decides." },
    ],
    rowwise: "responses",
    params: Type.Object({
      reference: Type.Optional(
        Type.String({
          minLength: 1,
          description: "The column of responses with a right answer to compare with.",
        }),
      ),
      confidence,
      resamples: Type.Integer({
        minimum: 100,
        default: 2000,
        description: "Bootstrap resamples.",
        "x-source": "Efron & Tibshirani 1993: at least 1000 for intervals",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the bootstrap.",
        "x-source": "alignment-handbook",
      }),
      ...verdictParams,
    }),
    check: rubricProblems,
    output: duels,
    metrics: { ...duelMetrics, prompts: "prompts that both have", unmatched: "prompts that only one has" },
  },
  () => import("./run.ts").then((m) => m.winRate),
  () => import("./estimate.ts").then((m) => m.estimate),
);

export const judgeReport = defineStage(
  {
    name: "judge_report",
    version: 1,
    doc: "How far judges agree with each other, with themselves when the order is turned, and with who prefers the longest text.",
    inputs: [
      {
        name: "judgments",
        type: duels,
        variadic: true,
        doc: "What different judges made of the same duels.",
      },
    ],
    params: Type.Object({}),
    named: true,
    output: { kind: "metrics", fields: {} },
    metrics: {
      agreement: "mean share of duels on which two judges give the same verdict",
      kappa: "mean Cohen's kappa of two judges",
      longest_agreement: "mean share on which a judge and the one who prefers the longer text agree",
      position_consistency: "mean share of duels where both orders gave the same verdict",
      prefers_first: "mean share of decided verdicts for the text shown first",
      duels: "duels that all judges have decided",
    },
  },
  () => import("./run.ts").then((m) => m.judgeReport),
);
