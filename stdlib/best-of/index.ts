// Declares `best_of`: the best responses of many, as demonstrations or as the baseline that needs no training.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { samplingParams } from "../generate/index.ts";

export const bestOf = defineStage(
  {
    name: "best_of",
    version: 1,
    doc: "Samples n responses to each prompt and keeps the best: best-of-n, and rejection sampling when `sft` learns from them.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "Who responds." },
      { name: "prompts", type: dataset(rows.Prompt), doc: "The prompts." },
      { name: "by", type: { kind: "judge" }, doc: "Who chooses: a reward model, or any judge." },
    ],
    params: Type.Object({
      n: Type.Integer({
        "x-rehearse": { most: 2 },
        minimum: 1,
        default: 16,
        description: "Responses to each prompt.",
        "x-source": "Stiennon et al. 2020 and Nakano et al. 2021 go from 4 to 64",
      }),
      keep: Type.Integer({
        "x-rehearse": { most: 1 },
        minimum: 1,
        default: 1,
        description: "How many of them are kept, best first.",
        "x-source": "best-of-n (Nakano et al. 2021)",
      }),
      min_score: Type.Optional(
        Type.Number({ description: "Responses below this are rejected, whatever their place." }),
      ),
      ...samplingParams,
    }),
    check: (p) =>
      p.keep > p.n
        ? [{ param: "keep", kind: "other", message: `is ${p.keep}, more than n ${p.n}`, help: "raise n" }]
        : [],
    output: dataset({
      name: "Instruction",
      columns: { prompt: "any", completion: "string", score: "number" },
    }),
    metrics: {
      score: "mean score of what was kept",
      mean_score: "mean score of all responses",
      kept: "rows kept",
      rejected: "prompts of which nothing was kept",
      kl_bound: "ln n − (n−1)/n nats, above which the KL of best-of-n from the model cannot lie",
      prompts: "number of prompts",
    },
    numeric: true,
    heavy: true,
  },
  () => import("./run.ts").then((m) => m.bestOf),
  () => import("./estimate.ts").then((m) => m.estimate),
);
