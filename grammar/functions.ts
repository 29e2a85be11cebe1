// The functions that expressions may call: their types for the checker, their meaning for whoever evaluates rows.
import type { Json } from "./types.ts";

export type ValueType = "number" | "numbers" | "string" | "boolean" | "list" | "any";

export interface ExpressionFunction {
  readonly takes: readonly ValueType[];
  /** Any number of arguments, each as the first is wanted. */
  readonly many?: true;
  readonly gives: ValueType;
  readonly doc: string;
  /** Undefined when the arguments have no answer. */
  apply(...args: Json[]): Json | undefined;
}

const text = (value: Json | undefined): string =>
  typeof value === "string" ? value : JSON.stringify(value ?? "");

function numeric(doc: string, apply: (x: number) => number): ExpressionFunction {
  return {
    takes: ["number"],
    gives: "number",
    doc,
    apply: (x) => {
      const value = typeof x === "number" ? apply(x) : Number.NaN;
      return Number.isFinite(value) ? value : undefined;
    },
  };
}

/** Of lists and numbers, all of them together. */
function ofMany(doc: string, apply: (all: readonly number[]) => number): ExpressionFunction {
  return {
    takes: ["numbers"],
    many: true,
    gives: "number",
    doc,
    apply: (...args) => {
      const all = args.flat();
      const value =
        all.length > 0 && all.every((a) => typeof a === "number") ? apply(all as number[]) : Number.NaN;
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
  list: {
    takes: ["any"],
    many: true,
    gives: "list",
    doc: "its arguments as a list; `[a, b]` is the same",
    apply: (...items) => items,
  },
  field: {
    takes: ["any", "string"],
    gives: "any",
    doc: "what a record has under a name",
    apply: (value, name) => {
      if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
      return Object.hasOwn(value, text(name))
        ? (value as { readonly [key: string]: Json })[text(name)]
        : undefined;
    },
  },
  position: {
    takes: ["list", "any"],
    gives: "number",
    doc: "where a list has an item, counted from 0",
    apply: (value, part) => {
      const at = Array.isArray(value)
        ? value.findIndex((item) => JSON.stringify(item) === JSON.stringify(part))
        : -1;
      return at < 0 ? undefined : at;
    },
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
  abs: numeric("the absolute value", Math.abs),
  round: numeric("the nearest whole number", Math.round),
  min: ofMany("the smallest of numbers, or of a list", (all) => Math.min(...all)),
  max: ofMany("the largest of numbers, or of a list", (all) => Math.max(...all)),
  mean: ofMany("the mean of numbers, or of a list", (all) => all.reduce((a, b) => a + b, 0) / all.length),
  median: ofMany("the middle of numbers, or of a list; between the two middle ones", (all) => {
    const sorted = [...all].sort((a, b) => a - b);
    return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
  }),
};
