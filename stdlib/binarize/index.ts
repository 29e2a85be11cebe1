// Declares `binarize`: rated responses become preference pairs.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset, rows } from "../../grammar/index.ts";

export const binarize = defineStage(
  {
    name: "binarize",
    version: 2,
    doc: "Turns rated responses into pairs of chosen and rejected. Pairs with equal scores are dropped and counted.",
    inputs: [{ name: "data", type: dataset(rows.Rated), doc: "Prompts with scored responses." }],
    params: Type.Object({
      pairs: Type.Enum(["best_vs_random", "best_vs_worst", "all"], {
        type: "string",
        default: "best_vs_random",
        description:
          "Per prompt: the best response against one of the others at random (Zephyr), against the worst, or every two responses (DPO §6.1: 6 pairs of 4).",
        "x-source": "Tunstall et al. 2023 §3: y_l drawn at random from the others, for diversity",
      }),
      min_margin: Type.Number({
        minimum: 0,
        default: 0,
        description: "Pairs whose scores differ by less are dropped.",
        "x-source": "keeps all but ties",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the random choice.",
        "x-source": "Zephyr's released script",
      }),
    }),
    output: preferences,
    metrics: {
      pairs: "preference pairs",
      rows: "prompts read",
      ties: "pairs dropped because both scores were equal",
      below_margin: "pairs dropped because the scores differed by less than min_margin",
      unrated: "responses left out because their verdict could not be read",
      mean_margin: "mean score of chosen minus rejected",
    },
  },
  () => import("./run.ts").then((m) => m.binarize),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function preferences({ row }: CallFacts): AlignType {
  const prompt = row?.columns.prompt ?? "any";
  return dataset({
    name: "Preference",
    columns: {
      prompt,
      chosen: "string",
      rejected: "string",
      chosen_score: "number",
      rejected_score: "number",
    },
  });
}
