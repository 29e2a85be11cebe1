// Declares `preference_accuracy`: how often a judge prefers what people preferred.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { comparisons, comparisonsProblem } from "./comparisons.ts";

export const preferenceAccuracy = defineStage(
  {
    name: "preference_accuracy",
    version: 1,
    doc: "Share of pairs in which a judge, such as a reward model, scores the better response higher; RewardBench's accuracy, on any comparisons.",
    inputs: [
      { name: "judge", type: { kind: "judge" }, doc: "Whose scores are held against the comparisons." },
      {
        name: "data",
        type: comparisons,
        doc: "Comparisons: `responses` with `ranks` or `scores`, or `chosen` and `rejected`; a column `labeler` gives a table with one line for each.",
      },
    ],
    params: Type.Object({
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the resamples.",
        "x-source": "alignment-handbook",
      }),
    }),
    output: ({ inputs }) =>
      comparisonsProblem("preference_accuracy", inputs, ["data"]) ?? { kind: "metrics", fields: {} },
    metrics: {
      accuracy: "share of untied pairs whose better response scores higher; equal scores count half",
      accuracy_low: "lower end of its 95% interval, bootstrapped over comparisons",
      accuracy_high: "upper end of its 95% interval",
      longer: "share of pairs whose better response has more words: what preferring length would reach",
      comparisons: "comparisons",
      pairs: "untied pairs in them",
    },
    numeric: true,
    heavy: true,
  },
  () => import("./preference-accuracy-run.ts").then((m) => m.preferenceAccuracy),
);
