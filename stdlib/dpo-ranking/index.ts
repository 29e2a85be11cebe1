// Declares `dpo_ranking`: direct preference optimisation on rankings of any number of responses.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import type { Type as AlignType, CallFacts, TypeProblem } from "../../grammar/index.ts";
import { inLessMemory, loraParams, trainingParams, withoutEffect } from "../training/params.ts";

// There is no `eval` input.
const {
  select_by: _,
  eval_every: __,
  ...training
} = trainingParams({
  learning_rate: 1e-6,
  schedule: "linear",
  warmup: 0.1,
  batch_size: 64,
  epochs: 1,
  weight_decay: 0,
  adam_beta2: 0.999,
  source: "as `dpo`: Rafailov et al. 2023 App. B; batch_size counts prompts",
});

export const dpoRanking = defineStage(
  {
    name: "dpo_ranking",
    version: 2,
    doc: "Direct preference optimisation under the Plackett-Luce model (Rafailov et al. 2023 App. A.3): the likelihood of a whole ranking under implicit rewards. Of two responses it is `dpo`.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The policy to start from." },
      {
        name: "data",
        type: { kind: "any" },
        doc: "Responses to each prompt with ranks (1 is best) or scores; preference pairs too. Ties are not compared.",
      },
      {
        name: "reference",
        type: { kind: "model" },
        optional: true,
        doc: "The frozen reference; the starting policy unless given.",
      },
    ],
    params: Type.Object({
      beta: Type.Number({
        exclusiveMinimum: 0,
        default: 0.1,
        description: "Strength of the pull to the reference.",
        "x-usual": [1e-3, 10],
        "x-source": "Rafailov et al. 2023 App. B",
      }),
      ...training,
      ...loraParams(),
      max_length: Type.Optional(
        Type.Integer({
          minimum: 8,
          description: "Longer prompt + response is cut; the model's max_length unless given.",
          "x-unit": "tokens",
        }),
      ),
    }),
    check: (p, given) => withoutEffect(p, given),
    output,
    metrics: {
      loss: "mean negative log-likelihood of a ranking, last tenth of the steps, nats",
      first_loss: "loss at step 0; ln K! for rankings of K without ties",
      accuracy:
        "share of untied pairs whose better response has the higher implicit reward, last tenth of the steps",
      rankings: "rankings trained on",
      all_tied: "rankings left out because all their responses tie",
      steps: "optimiser steps",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.dpoRanking),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function output({ inputs }: CallFacts): AlignType | TypeProblem {
  const given = inputs.data;
  if (given?.kind !== "dataset") return { kind: "model" };
  const has = (...names: string[]) => names.every((column) => column in given.row.columns);
  if (has("chosen", "rejected") || has("responses", "ranks") || has("responses", "scores"))
    return { kind: "model" };
  return {
    message: `\`dpo_ranking\` learns from rankings; these rows have the columns ${Object.keys(given.row.columns).join(", ")}`,
    help: "give it rows with responses and ranks, responses and scores (`judge` makes them), or chosen and rejected",
    at: "data",
  };
}
