// Declares the sources that read files: text, jsonl, csv and parquet.
import Type from "typebox";
import { defineSource } from "../../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  type ColumnType,
  dataset,
  rows,
  type TypeProblem,
} from "../../../grammar/index.ts";
import { columnsOfBoth } from "./peek.ts";

const paths = Type.Array(Type.String({ "x-align": "path" }), {
  minItems: 1,
  description: "Files, read in the order given; a pattern such as `data/*.txt` stands for its files, sorted.",
});

export const text = defineSource(
  {
    name: "text",
    version: 1,
    doc: "Plain text files (UTF-8) as rows with one column, `text`.",
    params: Type.Object({
      paths,
      per: Type.Enum(["file", "paragraph", "line"], {
        type: "string",
        default: "file",
        description:
          "What becomes a row: the whole file, what stands between blank lines, or each line that is not blank.",
        "x-source": "the least that is decided for you; `sentences` splits further",
      }),
    }),
    positional: ["paths"],
    output: dataset(rows.Text),
  },
  () => import("./text.ts").then((m) => m.text),
);

export const jsonl = defineSource(
  {
    name: "jsonl",
    version: 1,
    doc: "JSON Lines files, one object per line, or a JSON list of objects: their members are the columns. Also packed with gzip.",
    params: Type.Object({ paths }),
    positional: ["paths"],
    output: columnsSeen,
  },
  () => import("./jsonl.ts").then((m) => m.jsonl),
  () => import("./estimate.ts").then((m) => m.perLine),
);

export const csv = defineSource(
  {
    name: "csv",
    version: 1,
    doc: "CSV files whose first line names the columns (RFC 4180).",
    params: Type.Object({
      paths,
      delimiter: Type.String({
        minLength: 1,
        default: ",",
        description: 'What stands between two values; "\\t" for TSV.',
        "x-source": "RFC 4180",
      }),
      numbers: Type.Boolean({
        default: false,
        description: "Read values that are written as numbers as numbers; otherwise every column is a text.",
        "x-source": "off: a postcode is not a number",
      }),
    }),
    positional: ["paths"],
    output: (facts) => {
      const seen = columnsSeen(facts);
      if (seen.kind !== "dataset") return seen;
      const columns = Object.keys(seen.row.columns).map((name): [string, ColumnType] => {
        return [name, facts.params.numbers ? "any" : "string"];
      });
      return dataset({ columns: Object.fromEntries(columns) });
    },
  },
  () => import("./csv.ts").then((m) => m.csv),
);

export const columnsParam = Type.Optional(
  Type.Array(Type.String(), {
    minItems: 1,
    description: "Only these columns; of a Parquet file nothing else is read.",
  }),
);

export const parquet = defineSource(
  {
    name: "parquet",
    version: 1,
    doc: "Parquet files, a row group at a time.",
    params: Type.Object({ paths, columns: columnsParam }),
    positional: ["paths"],
    output: (facts) => only(columnsSeen(facts), facts.params.columns as string[] | undefined),
  },
  () => import("./parquet.ts").then((m) => m.parquet),
);

/** Those columns of rows of which the columns are known. */
export function only(rows: AlignType, columns: readonly string[] | undefined): AlignType | TypeProblem {
  if (!columns || rows.kind !== "dataset") return rows;
  const known = Object.keys(rows.row.columns);
  const missing = columns.find((column) => !known.includes(column));
  if (missing === undefined) {
    return dataset({ columns: Object.fromEntries(columns.map((name) => [name, rows.row.columns[name]!])) });
  }
  return {
    at: "columns",
    message: `there is no column \`${missing}\``,
    unknown: { name: missing, candidates: known },
  };
}

/** The columns that all files have; anything when a file cannot be looked at. */
function columnsSeen({ params, peek }: CallFacts): AlignType {
  let common: Record<string, ColumnType> | undefined;
  for (const path of (params.paths ?? []) as string[]) {
    const seen = peek?.(path)?.columns;
    if (!seen) return { kind: "any" };
    common = common === undefined ? { ...seen } : columnsOfBoth(common, seen);
  }
  return common ? dataset({ columns: common }) : { kind: "any" };
}
