// Declares `frontier`: reward against KL of several policies, beside the best that is possible.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset, rows } from "../../grammar/index.ts";

export const frontier = defineStage(
  {
    name: "frontier",
    version: 1,
    doc: "Holds what `compare` measured of several policies, reward and KL, against the optimum at the same KL (Rafailov et al. 2023 §6.1), which is estimated from many rated responses of the reference.",
    inputs: [
      {
        name: "responses",
        type: dataset(rows.Rated),
        doc: "What the reference said to the prompts of the comparisons, many times each, with scores: `judge(generate(reference, prompts) { samples: 256 }, by: …)`.",
      },
    ],
    restInputs: {
      type: { kind: "any" },
      variadic: true,
      doc: "A `compare` stage against the reference, or a family of them; the plot calls it by this name.",
    },
    params: Type.Object({}),
    output,
    metrics: {
      reference_score: "mean score of `responses`: KL 0",
      trusted_kl:
        "KL up to which the optimum can be estimated, one below log of the responses per prompt, nats",
    },
    named: true,
  },
  () => import("./run.ts").then((m) => m.frontier),
);

function output({ inputs }: CallFacts): AlignType {
  const names = Object.keys(inputs).filter((name) => name !== "responses");
  const fields = names.flatMap((name): [string, string][] => [
    [`${name}_share`, `mean over ${name} of its score divided by the optimum at its KL`],
    [`${name}_worst_share`, `the smallest of these`],
    [`${name}_best_share`, `the largest of these`],
    [`${name}_gap`, `mean over ${name} of the optimum at its KL minus its score`],
    [`${name}_best_gain`, `largest score of ${name} minus reference_score`],
  ]);
  return { kind: "metrics", fields: Object.fromEntries(fields) };
}
