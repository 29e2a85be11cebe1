// Adds to a row what a template or a scorer of choices reads: the choices, which is right, and how FLAN lists them.
import { type Rows, TaskError, type TransformRun } from "../../engine/index.ts";
import { type Expr, evaluateRow, type Json } from "../../grammar/index.ts";

interface Params {
  readonly choices?: readonly string[];
  readonly from?: unknown;
  readonly label?: unknown;
}

export const classification: TransformRun<Params> = {
  async *transform(rows, { params }): Rows {
    let number = 0;
    for await (const row of rows) {
      number++;
      const read = (expr: unknown) => evaluateRow(expr as Expr, row);
      const choices = params.choices ?? textsIn(read(params.from), number);
      const labels = labelsOf(params.label ? read(params.label) : row.label, choices, number);
      yield {
        ...row,
        choices,
        label: labels.length === 1 ? labels[0]! : labels,
        answer: choices[labels[0]!]!,
        options_: optionsSuffix(choices),
      };
    }
  },
};

/** FLAN's `{options_}`, character by character (google-research/FLAN, preprocessors.py). */
export function optionsSuffix(choices: readonly string[]): string {
  return `OPTIONS:\n- ${choices.join("\n- ")}`;
}

/** The choices of a row; at least one, all texts. `number` counts rows from 1. */
export function textsIn(value: Json | undefined, number: number): readonly string[] {
  if (Array.isArray(value) && value.length > 0 && value.every((x) => typeof x === "string")) {
    return value as string[];
  }
  throw new TaskError({
    code: "no-choices",
    message: `the choices of row ${number} are ${value === undefined ? "not there" : JSON.stringify(value)}; a list of texts is wanted`,
    help: '`|> classification(["yes", "no"])` gives every row the same, `classification(from: column)` its own',
  });
}

/** Some files write positions as texts ("3"); a choice that reads so goes first. */
function positionOf(item: Json | undefined, choices: readonly string[]): number {
  const named = typeof item === "string" ? choices.indexOf(item) : -1;
  const digits = typeof item !== "string" || /^\d+$/.test(item);
  return named < 0 && digits ? Number(item ?? Number.NaN) : named;
}

/** Positions of the right choices: a row may name one or several, by position or by text. */
export function labelsOf(value: Json | undefined, choices: readonly string[], number: number): number[] {
  const labels = (Array.isArray(value) ? value : [value]).map((item) => {
    const at = positionOf(item, choices);
    if (Number.isInteger(at) && at >= 0 && at < choices.length) return at;
    throw new TaskError({
      code: "wrong-label",
      message: `the label of row ${number} is ${JSON.stringify(item)}, and its choices are ${JSON.stringify(choices)}`,
      help: "a label is a position counted from 0, or the text of a choice; leave unlabelled rows out with `|> filter(label >= 0)`",
    });
  });
  if (labels.length > 0) return labels;
  throw new TaskError({ code: "wrong-label", message: `row ${number} has an empty list of labels` });
}
