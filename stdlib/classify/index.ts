// Declares `classify`: rank classification, the likeliest of the given answers.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset, type TypeProblem } from "../../grammar/index.ts";

const classificationRows = dataset({ name: "Classification", columns: { choices: "list", label: "any" } });

/** Shared with `evaluate`. */
export const intervalParams = {
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
};

export const shotParams = {
  shots: Type.Integer({
    minimum: 0,
    maximum: 16,
    default: 0,
    description: "Solved examples before each question, drawn from `examples`; as many of them as fit.",
    "x-source": "zero-shot; at most 16 in Wei et al. 2021 §4.4",
  }),
  max_length: Type.Optional(
    Type.Integer({
      minimum: 8,
      description:
        "Tokens that examples, question and answer may have together; the model's limit unless given. Wei et al. 2021 keep below 960.",
      "x-unit": "tokens",
    }),
  ),
  delimiter: Type.String({
    default: " ",
    description: "Stands between a prompt and its answer where neither has white space there.",
    "x-source": "lm-evaluation-harness, `target_delimiter`",
  }),
  seed: Type.Integer({
    minimum: 0,
    default: 42,
    description: "Draws examples and resamples.",
    "x-source": "alignment-handbook",
  }),
};

export const classify = defineStage(
  {
    name: "classify",
    version: 2,
    doc: "Rank classification: of the choices of each row, which does the model find likeliest? Mean, median and spread over templates, with bootstrap intervals over examples.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The model in question." },
      {
        name: "data",
        type: classificationRows,
        variadic: true,
        doc: "Rows with `choices` and `label`, and a `prompt` unless `templates` are given; one dataset or a list.",
      },
      {
        name: "baseline",
        type: { kind: "model" },
        optional: true,
        doc: "Scored on the same prompts; gains are over it.",
      },
      {
        name: "examples",
        type: classificationRows,
        optional: true,
        doc: "Rows that few-shot examples are drawn from.",
      },
    ],
    params: Type.Object({
      scoring: Type.Enum(["sum", "tokens", "characters"], {
        type: "string",
        default: "sum",
        description:
          "What is compared: log p of a choice, that per token of the choice, or that per character. All three are reported.",
        "x-source":
          "sum: Sanh et al. 2021 §6.2; tokens: Ouyang et al. 2022 App. E; characters: lm-evaluation-harness, acc_norm",
      }),
      templates: Type.Optional(
        Type.Unknown({
          "x-align": "templates",
          description:
            "Puts each row into words by every one of these: a list, or `all` (the first so many, as a number) that are written `for` its dataset.",
        }),
      ),
      ...shotParams,
      ...intervalParams,
    }),
    output: output,
    metrics: {
      accuracy: "mean over datasets of the accuracy over all their templates and examples",
      accuracy_low: "lower end of its interval",
      accuracy_high: "upper end of its interval",
      accuracy_sum: "the same when choices are compared by log p",
      accuracy_tokens: "the same by log p per token",
      accuracy_characters: "the same by log p per character",
      median: "median accuracy of a template, mean over datasets",
      iqr: "Q3 − Q1 of the accuracies of templates, mean over datasets",
      best: "accuracy of the best template, mean over datasets",
      mass: "mean probability that a choice follows, whichever: Σ p(choice)",
      baseline_accuracy: "accuracy of the baseline",
      baseline_median: "median of the baseline",
      baseline_iqr: "iqr of the baseline",
      baseline_mass: "mass of the baseline",
      gain: "accuracy minus the baseline's",
      gain_low: "lower end of its interval, paired by example",
      gain_high: "upper end of its interval",
      chance: "accuracy of guessing",
      examples: "number of examples",
      prompts: "number of prompts: examples by templates",
    },
    numeric: true,
    heavy: true,
  },
  () => import("./run.ts").then((m) => m.classify),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function output({ row, params, inputs }: CallFacts): AlignType | TypeProblem {
  const templates = params.templates as readonly (readonly unknown[])[] | undefined;
  const bare = !templates || templates.length === 0 || templates.some((of) => of.length === 0);
  if (row && bare && !Object.hasOwn(row.columns, "prompt")) {
    return {
      at: "data",
      message: "classify needs prompts: a column `prompt`, or `templates` that make one",
      help: "give `templates: [a, b]`, or `templates: all` with a `template … for` each dataset, or put the rows into words before: `rows |> render(a, b)`",
    };
  }
  if ((params.shots as number) > 0 !== "examples" in inputs) {
    return {
      at: "examples",
      message:
        "examples" in inputs
          ? "`examples` are given, and `shots` says how many to show: none"
          : "`shots` wants rows to draw from",
      help: "give both: `examples: rows` and `shots: 5`",
    };
  }
  return { kind: "metrics", fields: {} };
}
