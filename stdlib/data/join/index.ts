// Declares join: columns of another dataset beside those of the rows.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset, type TypeProblem } from "../../../grammar/index.ts";
import { anyRows } from "../same-row.ts";

export const join = defineTransform(
  {
    name: "join",
    version: 1,
    doc: 'Adds the columns of the rows of another dataset that have the same keys: `rows |> join(answers, on: ["id"])`. Several such rows give several rows.',
    inputs: [
      anyRows,
      {
        name: "other",
        type: dataset({ columns: {} }),
        doc: "Where the columns come from; it is held in memory.",
      },
    ],
    params: Type.Object({
      on: Type.Array(Type.String(), { minItems: 1, description: "The columns that must be equal in both." }),
      how: Type.Enum(["inner", "left"], {
        type: "string",
        default: "inner",
        description: "What becomes of rows without a partner: left out, or kept without the other's columns.",
        "x-source": "SQL",
      }),
    }),
    positional: ["on"],
    output: joined,
  },
  () => import("./run.ts").then((m) => m.join),
);

function joined({ row, inputs, params }: CallFacts): AlignType | TypeProblem {
  const other = inputs.other?.kind === "dataset" ? inputs.other.row : undefined;
  if (!row || !other) return { kind: "any" };
  const on = params.on as readonly string[];
  for (const [columns, whose] of [
    [row.columns, "these rows have"],
    [other.columns, "the other rows have"],
  ] as const) {
    const name = on.find((n) => Object.keys(columns).length > 0 && !Object.hasOwn(columns, n));
    if (name !== undefined)
      return {
        at: "on",
        message: `${whose} no column \`${name}\``,
        unknown: { name, candidates: Object.keys(columns) },
      };
  }
  const clash = Object.keys(other.columns).find((n) => !on.includes(n) && Object.hasOwn(row.columns, n));
  if (clash !== undefined) {
    return {
      at: "other",
      message: `both have a column \`${clash}\``,
      help: "`rename` one of them before, or `select` what is wanted",
    };
  }
  return dataset({ columns: { ...row.columns, ...other.columns } });
}
