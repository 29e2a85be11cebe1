// Reads columns of rows as what an operation needs, and says which row does not have it.
import { type RowData, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";

/** `number` counts from 1. */
export function textIn(row: RowData, column: string, number: number): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw wrongColumn(row, column, number, "a text");
}

export function listIn(row: RowData, column: string, number: number): readonly Json[] {
  const value = row[column];
  if (Array.isArray(value)) return value;
  throw wrongColumn(row, column, number, "a list");
}

export function wrongColumn(row: RowData, column: string, number: number, wanted: string): TaskError {
  const value = row[column];
  const found =
    value === undefined
      ? `has no column ${column}; it has ${Object.keys(row).join(", ") || "none at all"}`
      : `has ${describe(value)} in ${column}`;
  return new TaskError({
    code: "wrong-column",
    message: `row ${number} ${found}; ${wanted} is wanted`,
    help: "name columns with `|> select(new: old)`, or leave such rows out with `|> filter(…)`",
  });
}

function describe(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
