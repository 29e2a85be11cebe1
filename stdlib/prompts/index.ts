// Declares the transforms that turn rows of a task into prompts: classification, render, promptsource and lm_eval.
import Type from "typebox";
import { defineTransform } from "../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  type ColumnType,
  dataset,
  type Json,
} from "../../grammar/index.ts";
import { anyRows } from "../data/same-row.ts";

export const classification = defineTransform(
  {
    name: "classification",
    version: 1,
    doc: "Makes classification rows: adds `choices`, `label` (a position in them), `answer` (the right choice) and `options_` (the list as FLAN shows it).",
    inputs: [anyRows],
    params: Type.Object({
      choices: Type.Optional(
        Type.Array(Type.String(), {
          minItems: 2,
          description: "The answers, in the order that labels count.",
        }),
      ),
      from: Type.Optional(
        Type.Unknown({
          "x-align": "expression",
          description: "A column with the answers of each row, where they differ from row to row.",
        }),
      ),
      label: Type.Optional(
        Type.Unknown({
          "x-align": "expression",
          description:
            "Which is right: its position, counted from 0, its text, or a list of them; the column `label` unless given.",
        }),
      ),
    }),
    positional: ["choices"],
    check: ({ choices, from }) =>
      (choices === undefined) === (from === undefined)
        ? [
            {
              param: choices ? "from" : "choices",
              kind: "other",
              message: "wants the answers once: as `choices` for all rows, or `from` a column",
            },
          ]
        : [],
    output: ({ row }) =>
      row
        ? dataset({
            columns: {
              ...row.columns,
              choices: "list",
              label: row.columns.label === "list" ? "list" : "number",
              answer: "string",
              options_: "string",
            },
          })
        : { kind: "any" },
  },
  () => import("./classification.ts").then((m) => m.classification),
);

const pickParam = (source: string) =>
  Type.Enum(["all", "one", "cycle"], {
    type: "string",
    default: "all",
    description:
      "A row for each template; one template for each row, drawn by `seed`; or the templates in turn from row to row.",
    "x-source": source,
  });

export const render = defineTransform(
  {
    name: "render",
    version: 1,
    doc: "Puts each row into words by one or all of several templates. `template` says by which, `example` which row it was.",
    inputs: [anyRows],
    params: Type.Object({
      templates: Type.Array(Type.Unknown({ "x-align": "template" }), {
        minItems: 1,
        description: "How a row is put into words.",
      }),
      pick: pickParam("all: evaluation is over every template (Wei et al. 2021 §2.4, Sanh et al. 2021 §6.2)"),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Draws the template of a row, for `one`; depends on the row alone.",
        "x-source": "alignment-handbook",
      }),
    }),
    positional: ["templates"],
    output: rendered,
  },
  () => import("./render.ts").then((m) => m.render),
);

/** What `classify` reads travels with a rendered row. */
export const carried = ["choices", "label", "dataset"] as const;

function rendered({ row, params }: CallFacts): AlignType {
  const templates = params.templates as readonly Record<string, Json>[];
  const targets = templates.every((template) => template.target !== undefined);
  const kept = carried.flatMap((name): [string, ColumnType][] =>
    row && Object.hasOwn(row.columns, name) ? [[name, row.columns[name]!]] : [],
  );
  return dataset({
    columns: {
      ...Object.fromEntries(kept),
      prompt: "string",
      ...(targets ? { completion: "string" } : {}),
      template: "number",
      example: "string",
    },
  });
}

export const promptsource = defineTransform(
  {
    name: "promptsource",
    version: 1,
    doc: "Puts rows into words by the templates of a promptsource file (P3), rendered as its Python library renders them. Rows that a template leaves without an answer are left out, as T0 leaves them out.",
    inputs: [anyRows],
    params: Type.Object({
      path: Type.String({ "x-align": "path", description: "A `templates.yaml` as published." }),
      names: Type.Optional(
        Type.Array(Type.String(), { minItems: 1, description: "Only the templates of these names." }),
      ),
      original_task: Type.Boolean({
        default: false,
        description: "Only templates that ask what the dataset was made for.",
        "x-source":
          "off: T0 trains on all of them, and is evaluated with these only (t-zero, d4_eval_mixture)",
      }),
      pick: pickParam("all: T0 trains on every prompt of a dataset, and is evaluated with every one"),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Draws for `choice` and `pick: one`; depends on the row and the template alone.",
        "x-source": "alignment-handbook",
      }),
    }),
    positional: ["path"],
    output: asked,
  },
  () => import("./promptsource.ts").then((m) => m.promptsource),
);

export const lmEval = defineTransform(
  {
    name: "lm_eval",
    version: 1,
    doc: "Puts rows into words by a task file of lm-evaluation-harness: doc_to_text, doc_to_choice and doc_to_target.",
    inputs: [anyRows],
    params: Type.Object({
      path: Type.String({ "x-align": "path", description: "The task's YAML; it may `include` another." }),
    }),
    positional: ["path"],
    output: asked,
  },
  () => import("./lm-eval.ts").then((m) => m.lmEval),
);

/** What is known before the file is read: of open-ended tasks, choices and label are not there in the end. */
function asked({ row }: CallFacts): AlignType {
  const name: [string, ColumnType][] =
    row && Object.hasOwn(row.columns, "dataset") ? [["dataset", row.columns.dataset!]] : [];
  return dataset({
    columns: {
      ...Object.fromEntries(name),
      prompt: "string",
      completion: "string",
      choices: "list",
      label: "any",
      template: "string",
      example: "string",
    },
  });
}
