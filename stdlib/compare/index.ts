// Declares `compare`: a model against a baseline on held-out prompts, by a judge, with the KL it cost.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { samplingParams } from "../generate/index.ts";
import { rubricProblems, verdictParams } from "../judge/verdict-params.ts";
import { duelMetrics } from "./metrics.ts";

export const compare = defineStage(
  {
    name: "compare",
    version: 2,
    doc: "Both models continue the same prompts with the same random numbers; a judge scores the responses, or sees both in both orders where it is an assistant. Intervals are a paired bootstrap over prompts.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The model in question." },
      { name: "baseline", type: { kind: "model" }, doc: "What it is held against; the KL is to this model." },
      { name: "prompts", type: dataset(rows.Prompt), doc: "Held-out prompts." },
      { name: "judge", type: { kind: "judge" }, doc: "Scores each response." },
    ],
    rowwise: "prompts",
    params: Type.Object({
      samples: Type.Integer({
        "x-rehearse": { most: 1 },
        minimum: 1,
        default: 1,
        description: "Responses of each model to each prompt; a prompt's score is their mean.",
        "x-source": "one, as AlpacaEval",
      }),
      ...samplingParams,
      confidence: Type.Number({
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.95,
        description: "Of the intervals.",
        "x-unit": "fraction",
        "x-source": "custom of the field",
      }),
      resamples: Type.Integer({
        "x-rehearse": { most: 50 },
        minimum: 100,
        default: 2000,
        description: "Bootstrap resamples.",
        "x-source": "Efron & Tibshirani 1993: at least 1000 for intervals",
      }),
      show: Type.Integer({
        minimum: 0,
        default: 10,
        description: "Prompts shown with both texts in the summary.",
        "x-source": "fits one screen",
      }),
      ...verdictParams,
    }),
    check: rubricProblems,
    output: {
      kind: "metrics",
      fields: {},
    },
    metrics: {
      score: "mean score of the model",
      baseline_score: "mean score of the baseline",
      gain: "mean of score minus baseline score over prompts",
      gain_low: "lower end of its interval",
      gain_high: "upper end of its interval",
      ...duelMetrics,
      kl: "mean sequence KL(model ‖ baseline) on the model's own responses, nats: the sum over tokens of the full-vocabulary KL",
      length: "mean response length of the model, tokens",
      baseline_length: "mean response length of the baseline, tokens",
      prompts: "number of prompts",
    },
    numeric: true,
    heavy: true,
  },
  () => import("./run.ts").then((m) => m.compare),
  () => import("./estimate.ts").then((m) => m.estimate),
);
