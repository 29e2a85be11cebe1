// Gives lowered expressions their values, and explains a value by the values of its parts.
import { functions } from "./functions.ts";
import type { Expr } from "./program.ts";
import type { Json } from "./types.ts";

/** What an expression reads from; undefined is "not known". */
export interface Facts {
  metric?(node: string, name: string): Json | undefined;
  column?(name: string): Json | undefined;
}

/** The value, or undefined when something in it has none (a metric not measured, a division by zero). */
export function evaluate(expr: Expr, facts: Facts = {}): Json | undefined {
  switch (expr.kind) {
    case "literal":
      return expr.value;
    case "metric":
      return facts.metric?.(expr.node, expr.name);
    case "column":
      return facts.column?.(expr.name);
    case "call": {
      const args = expr.args.map((arg) => evaluate(arg, facts));
      if (args.some((arg) => arg === undefined)) return undefined;
      return functions[expr.fn]?.apply(...(args as Json[]));
    }
    case "not": {
      const value = evaluate(expr.operand, facts);
      return value === undefined ? undefined : !truthy(value);
    }
    case "negate": {
      const value = evaluate(expr.operand, facts);
      return typeof value === "number" ? -value : undefined;
    }
    case "binary":
      return binary(expr, facts);
  }
}

function truthy(value: Json): boolean {
  return value !== false && value !== null;
}

function binary(expr: Expr & { kind: "binary" }, facts: Facts): Json | undefined {
  const left = evaluate(expr.left, facts);
  if (left === undefined) return undefined;
  if (expr.op === "and" && !truthy(left)) return false;
  if (expr.op === "or" && truthy(left)) return true;
  const right = evaluate(expr.right, facts);
  if (right === undefined) return undefined;
  switch (expr.op) {
    case "and":
    case "or":
      return truthy(right);
    case "==":
      return JSON.stringify(left) === JSON.stringify(right);
    case "!=":
      return JSON.stringify(left) !== JSON.stringify(right);
  }
  if (expr.op === "+" && typeof left === "string" && typeof right === "string") return left + right;
  const comparable =
    (typeof left === "number" && typeof right === "number") ||
    (typeof left === "string" && typeof right === "string");
  if (!comparable) return undefined;
  switch (expr.op) {
    case "<":
      return left < right;
    case "<=":
      return left <= right;
    case ">":
      return left > right;
    case ">=":
      return left >= right;
  }
  if (typeof left !== "number" || typeof right !== "number") return undefined;
  const value = { "+": left + right, "-": left - right, "*": left * right, "/": left / right }[expr.op];
  return Number.isFinite(value) ? value : undefined;
}

export interface Outcome {
  /** False also when the expectation has no value. */
  readonly holds: boolean;
  readonly value: Json | undefined;
  /** The expression with the value of every part below it. */
  readonly explanation: readonly string[];
  /** Why there is no value, when there is none. */
  readonly problem?: string;
}

/** Metrics by node, then by name. */
export type Metrics = Readonly<Record<string, Readonly<Record<string, Json>>>>;

export function evaluateExpectation(expr: Expr, metrics: Metrics): Outcome {
  const facts: Facts = { metric: (node, name) => metrics[node]?.[name] };
  const value = evaluate(expr, facts);
  const missing = value === undefined ? firstMissing(expr, facts) : undefined;
  return {
    holds: value === true,
    value,
    explanation: explain(expr, facts),
    ...(value === undefined ? { problem: missing ?? `\`${expr.text}\` has no value` } : {}),
  };
}

function firstMissing(expr: Expr, facts: Facts): string | undefined {
  if (expr.kind === "metric" && evaluate(expr, facts) === undefined) {
    return `\`${expr.node}\` did not report \`${expr.name}\``;
  }
  for (const part of partsOf(expr)) {
    const found = firstMissing(part, facts);
    if (found) return found;
  }
  return undefined;
}

/** For row-wise operations such as `filter`. */
export function evaluateRow(expr: Expr, row: Readonly<Record<string, Json>>): Json | undefined {
  return evaluate(expr, { column: (name) => row[name] });
}

function partsOf(expr: Expr): readonly Expr[] {
  if (expr.kind === "binary") return [expr.left, expr.right];
  if (expr.kind === "call") return expr.args;
  if (expr.kind === "not" || expr.kind === "negate") return [expr.operand];
  return [];
}

/**
 * The expression, and under each part its value, deepest furthest down:
 *
 *     beta * 2 <= 1
 *     |    |   |
 *     0.7  1.4 false
 */
export function explain(expr: Expr, facts: Facts = {}): string[] {
  const marks = place(expr, 0, expr.text, facts).sort((a, b) => a.column - b.column);
  if (marks.length === 0) return [expr.text];
  const lines: string[] = [bars(marks)];
  let rest = marks;
  while (rest.length > 0) {
    // From the right: a value is written where it does not touch the bar or value after it.
    const waiting: typeof marks = [];
    const written: typeof marks = [];
    let limit = Number.POSITIVE_INFINITY;
    for (const mark of [...rest].reverse()) {
      if (mark.column + mark.value.length < limit) written.push(mark);
      else waiting.push(mark);
      limit = mark.column;
    }
    lines.push(row([...waiting.map((m) => ({ ...m, value: "|" })), ...written]));
    rest = waiting.sort((a, b) => a.column - b.column);
  }
  return [expr.text, ...lines];
}

interface Mark {
  readonly column: number;
  readonly value: string;
}

function bars(marks: readonly Mark[]): string {
  return row(marks.map((m) => ({ ...m, value: "|" })));
}

function row(marks: readonly Mark[]): string {
  let line = "";
  for (const { column, value } of [...marks].sort((a, b) => a.column - b.column)) {
    line = line.padEnd(column) + value;
  }
  return line;
}

function place(expr: Expr, from: number, text: string, facts: Facts): Mark[] {
  const at = Math.max(from, text.indexOf(expr.text, from));
  const value = evaluate(expr, facts);
  const shown = value === undefined ? "no value" : show(value);
  switch (expr.kind) {
    case "literal":
      return shown === expr.text || /^["\d.[]/.test(expr.text) ? [] : [{ column: at, value: shown }];
    case "metric":
    case "column":
      return [{ column: at, value: shown }];
    case "call": {
      let next = at + expr.fn.length;
      const marks: Mark[] = [{ column: at, value: shown }];
      for (const arg of expr.args) {
        // One of the members that `d[*]` stands for is not in the text.
        if (!text.includes(arg.text, next)) continue;
        marks.push(...place(arg, next, text, facts));
        next = Math.max(next, text.indexOf(arg.text, next)) + arg.text.length;
      }
      return marks;
    }
    case "not":
    case "negate":
      return [
        { column: at, value: shown },
        ...place(expr.operand, at + (expr.kind === "not" ? 3 : 1), text, facts),
      ];
    case "binary": {
      const left = Math.max(at, text.indexOf(expr.left.text, at));
      const op = Math.max(at, text.indexOf(expr.op, left + expr.left.text.length));
      return [
        ...place(expr.left, at, text, facts),
        { column: op, value: shown },
        ...place(expr.right, op + expr.op.length, text, facts),
      ];
    }
  }
}

/** A value for people: numbers to six digits, long texts cut. */
export function show(value: Json): string {
  if (typeof value === "number") {
    const short = Number(value.toPrecision(6));
    return short !== 0 && Math.abs(short) < 1e-3 ? short.toExponential() : String(short);
  }
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}
