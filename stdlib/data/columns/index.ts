// Declares the transforms that change columns: select, rename, filter and map.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  type ColumnType,
  dataset,
  type Expr,
  type Json,
  type Row,
  type TypeProblem,
} from "../../../grammar/index.ts";
import { anyRows, sameRow } from "../same-row.ts";

const none = Type.Object({});

export const select = defineTransform(
  {
    name: "select",
    version: 1,
    doc: "Makes the columns that are named, and only those: `select(prompt: instruction)`.",
    inputs: [anyRows],
    params: none,
    rest: Type.Unknown({
      "x-align": "expression",
      description: "A column, or an expression over columns, under its new name.",
    }),
    output: ({ row, params }) => dataset({ columns: made(params, row) }),
  },
  () => import("./run.ts").then((m) => m.select),
);

export const rename = defineTransform(
  {
    name: "rename",
    version: 1,
    doc: "Gives columns new names and keeps the others: `rename(prompt: instruction)`.",
    inputs: [anyRows],
    params: none,
    rest: Type.Unknown({ "x-align": "expression", description: "A column, under its new name." }),
    output: renamed,
  },
  () => import("./run.ts").then((m) => m.rename),
);

export const filter = defineTransform(
  {
    name: "filter",
    version: 1,
    doc: "Keeps the rows for which an expression over their columns is true: `filter(words(text) > 5)`.",
    inputs: [anyRows],
    params: Type.Object({
      where: Type.Unknown({ "x-align": "expression", description: "What must be true of a row." }),
    }),
    positional: ["where"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.filter),
);

export const map = defineTransform(
  {
    name: "map",
    version: 1,
    doc: "Renders a template for each row: its `input` becomes the `prompt`, its `target` the `completion`.",
    inputs: [anyRows],
    params: Type.Object({
      template: Type.Unknown({ "x-align": "template", description: "How a row is put into words." }),
    }),
    positional: ["template"],
    output: ({ params }) => {
      const target = (params.template as { target?: Json } | undefined)?.target !== undefined;
      return target
        ? dataset({ name: "Instruction", columns: { prompt: "string", completion: "string" } })
        : dataset({ name: "Prompt", columns: { prompt: "string" } });
    },
  },
  () => import("./run.ts").then((m) => m.map),
);

function made(params: CallFacts["params"], row: Row | undefined): Record<string, ColumnType> {
  const columns: Record<string, ColumnType> = {};
  for (const [name, value] of Object.entries(params)) columns[name] = typeOf(value as unknown as Expr, row);
  return columns;
}

function renamed({ row, params }: CallFacts): AlignType | TypeProblem {
  if (!row) return { kind: "any" };
  const moved = new Set<string>();
  for (const [name, value] of Object.entries(params)) {
    const expr = value as unknown as Expr;
    if (expr.kind !== "column") {
      return {
        at: name,
        message: `rename wants a column for \`${name}\`, \`${expr.text}\` is not one`,
        help: "`select` can make new columns from expressions",
      };
    }
    moved.add(expr.name);
  }
  const kept = Object.entries(row.columns).filter(([name]) => !moved.has(name));
  const clash = kept.find(([name]) => Object.hasOwn(params, name));
  if (clash) {
    return {
      at: clash[0],
      message: `the rows have a column \`${clash[0]}\` already`,
      help: "rename that one too, or use `select` to keep only what is wanted",
    };
  }
  return dataset({ columns: { ...Object.fromEntries(kept), ...made(params, row) } });
}

function typeOf(expr: Expr, row: Row | undefined): ColumnType {
  switch (expr.kind) {
    case "column":
      return row?.columns[expr.name] ?? "any";
    case "literal":
      return scalarType(expr.value);
    case "binary":
      return ["+", "-", "*", "/"].includes(expr.op) ? (expr.op === "+" ? "any" : "number") : "boolean";
    case "not":
      return "boolean";
    case "negate":
      return "number";
    default:
      return "any";
  }
}

function scalarType(value: Json): ColumnType {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  return Array.isArray(value) ? "list" : "any";
}
