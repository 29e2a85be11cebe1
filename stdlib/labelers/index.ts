// Declares what there is for rankings by several people: simulate_labelers, screen_labelers and agreement.
import Type from "typebox";
import { defineStage, defineTransform } from "../../engine/index.ts";
import { dataset } from "../../grammar/index.ts";
import { sameRow } from "../data/same-row.ts";

const labelled = dataset({
  name: "Ranking with labelers",
  columns: { prompt: "any", responses: "list", ranks: "list", labeler: "string" },
});
const rated = dataset({ name: "Rated", columns: { prompt: "any", responses: "list", scores: "list" } });

const seed = Type.Integer({
  minimum: 0,
  default: 42,
  description: "Of everything drawn at random.",
  "x-source": "alignment-handbook",
});

export const simulateLabelers = defineTransform(
  {
    name: "simulate_labelers",
    version: 1,
    doc: "Ranks rated responses as people might: each labeler sees the score through a taste of their own and through Gumbel noise, tuned to a target agreement.",
    inputs: [{ name: "rows", type: rated, doc: "Responses with scores, their true utilities." }],
    params: Type.Object({
      labelers: Type.Integer({
        minimum: 1,
        default: 40,
        description: "How many there are.",
        "x-source": "Ouyang et al. 2022 §3.4: about 40",
      }),
      labelers_per_prompt: Type.Integer({
        minimum: 1,
        default: 1,
        description: "How many of them rank each prompt; a row each.",
        "x-source": "Ouyang et al. 2022: most prompts went to one labeler",
      }),
      agreement: Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.726,
        description: "Share of pairs on which two of them agree; the noise is tuned to it.",
        "x-unit": "fraction",
        "x-source": "Ouyang et al. 2022 §3.4: 72.6%",
      }),
      agreement_with: Type.Enum(["labelers", "truth"], {
        type: "string",
        default: "labelers",
        description: "Whether `agreement` is that of two labelers, or that of a labeler with the scores.",
        "x-source": "Ouyang et al. 2022 §3.4: inter-annotator",
      }),
      bias: Type.Number({
        minimum: 0,
        default: 0.2,
        description: "Deviation of the labelers' taste for long responses, in deviations of the score.",
        "x-source": "Align: small beside the noise that 73% agreement takes",
      }),
      tie_margin: Type.Number({
        minimum: 0,
        default: 0,
        description:
          "Responses that seem this near to the best of their rank tie with it, in deviations of the score.",
        "x-source": "off: no ties",
      }),
      seed,
    }),
    check: (p) =>
      p.labelers_per_prompt > p.labelers
        ? [
            {
              param: "labelers_per_prompt",
              kind: "other",
              message: `is ${p.labelers_per_prompt}, more than there are labelers (${p.labelers})`,
              help: "raise labelers",
            },
          ]
        : [],
    output: ({ row }) =>
      dataset({
        name: "Ranking",
        columns: {
          ...row?.columns,
          prompt: row?.columns.prompt ?? "any",
          responses: "list",
          ranks: "list",
          labeler: "string",
        },
      }),
  },
  () => import("./simulate.ts").then((m) => m.simulateLabelers),
);

export const screenLabelers = defineTransform(
  {
    name: "screen_labelers",
    version: 1,
    doc: "Keeps the rankings of labelers who agree with a reference labeler on what both ranked.",
    inputs: [{ name: "rows", type: labelled, doc: "Rankings with their labelers." }],
    params: Type.Object({
      reference: Type.String({ description: "Whom the others are held against." }),
      min_agreement: Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0.75,
        description: "Least share of pairs; one that only one of both calls a tie counts half.",
        "x-unit": "fraction",
        "x-source": "Ouyang et al. 2022 App. B.1: soft cut-off of 75%",
      }),
    }),
    positional: ["reference"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.screenLabelers),
);

export const agreement = defineStage(
  {
    name: "agreement",
    version: 1,
    doc: "How far labelers agree on the prompts that several of them ranked.",
    inputs: [{ name: "rankings", type: labelled, doc: "Rankings with their labelers." }],
    params: Type.Object({
      level: Type.Enum(["nominal", "ordinal", "interval"], {
        type: "string",
        default: "ordinal",
        description: "What Krippendorff's alpha takes ranks for.",
        "x-source": "Krippendorff 2011: ranks are ordinal",
      }),
      seed,
    }),
    output: { kind: "metrics", fields: {} },
    metrics: {
      agreement:
        "share of pairs on which two labelers agree, half where one of them says tie, mean over prompts",
      agreement_low: "lower end of its 95% interval, bootstrapped over prompts",
      agreement_high: "upper end of its 95% interval",
      alpha: "Krippendorff's alpha of the ranks: 1 is full agreement, 0 what chance gives",
      tied: "share of a ranking's responses that share a rank with a better placed one, mean over rankings",
      labelers: "labelers",
      rankings: "rankings",
      shared: "prompts that more than one labeler ranked",
    },
  },
  () => import("./run.ts").then((m) => m.agreement),
);
