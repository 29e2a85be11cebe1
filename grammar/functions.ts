// The functions that expressions may call: their types for the checker, their meaning for whoever evaluates rows.
import type { Json } from "./types.ts";

export type ValueType = "number" | "string" | "boolean" | "list" | "any";

export interface ExpressionFunction {
  readonly takes: readonly ValueType[];
  readonly gives: ValueType;
  readonly doc: string;
  /** Undefined when the arguments have no answer. */
  apply(...args: Json[]): Json | undefined;
}

const text = (value: Json | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? "");

function numeric(doc: string, arity: 1 | 2, apply: (...xs: number[]) => number): ExpressionFunction {
  return {
    takes: Array.from({ length: arity }, () => "number" as const),
    gives: "number",
    doc,
    apply: (...args) => {
      const value = args.every((a) => typeof a === "number") ? apply(...(args as number[])) : Number.NaN;
      return Number.isFinite(value) ? value : undefined;
    },
  };
}

export const functions: Readonly<Record<string, ExpressionFunction>> = {
  length: {
    takes: ["any"],
    gives: "number",
    doc: "characters of a text (Unicode code points), items of a list",
    apply: (value) => (Array.isArray(value) ? value.length : [...text(value)].length),
  },
  words: {
    takes: ["string"],
    gives: "number",
    doc: "words of a text, split at white space",
    apply: (value) => text(value).split(/\s+/u).filter(Boolean).length,
  },
  lines: {
    takes: ["string"],
    gives: "number",
    doc: "lines of a text",
    apply: (value) => text(value).split("\n").length,
  },
  lower: {
    takes: ["string"],
    gives: "string",
    doc: "the text in lower case",
    apply: (value) => text(value).toLowerCase(),
  },
  upper: {
    takes: ["string"],
    gives: "string",
    doc: "the text in upper case",
    apply: (value) => text(value).toUpperCase(),
  },
  trim: {
    takes: ["string"],
    gives: "string",
    doc: "the text without white space at its ends",
    apply: (value) => text(value).trim(),
  },
  contains: {
    takes: ["any", "any"],
    gives: "boolean",
    doc: "whether a text contains a text, or a list an item",
    apply: (value, part) =>
      Array.isArray(value)
        ? value.some((item) => JSON.stringify(item) === JSON.stringify(part))
        : text(value).includes(text(part)),
  },
  starts_with: {
    takes: ["string", "string"],
    gives: "boolean",
    doc: "whether a text starts with a text",
    apply: (value, part) => text(value).startsWith(text(part)),
  },
  ends_with: {
    takes: ["string", "string"],
    gives: "boolean",
    doc: "whether a text ends with a text",
    apply: (value, part) => text(value).endsWith(text(part)),
  },
  abs: numeric("the absolute value", 1, Math.abs),
  round: numeric("the nearest whole number", 1, Math.round),
  min: numeric("the smaller number", 2, Math.min),
  max: numeric("the larger number", 2, Math.max),
};
