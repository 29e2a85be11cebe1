// What values an expression over metrics can have, from what the metrics mean, before anything has run.
import type { Expr } from "./program.ts";

/** Both ends included. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

const everything: Range = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** A metric's meaning begins with what it is: a share lies between 0 and 1, a number of things is not negative. */
export function metricRange(meaning: string): Range {
  if (/^share of\b/.test(meaning)) return { low: 0, high: 1 };
  if (/^number of\b/.test(meaning)) return { low: 0, high: Number.POSITIVE_INFINITY };
  return everything;
}

/** `meaning` of a metric, by its node and name. */
export type Meaning = (node: string, name: string) => string;

export function rangeOf(expr: Expr, meaning: Meaning): Range {
  switch (expr.kind) {
    case "literal":
      return typeof expr.value === "number" ? { low: expr.value, high: expr.value } : everything;
    case "metric":
      return metricRange(meaning(expr.node, expr.name));
    case "negate": {
      const { low, high } = rangeOf(expr.operand, meaning);
      return { low: -high, high: -low };
    }
    case "binary": {
      const [a, b] = [rangeOf(expr.left, meaning), rangeOf(expr.right, meaning)];
      if (expr.op === "+") return { low: a.low + b.low, high: a.high + b.high };
      if (expr.op === "-") return { low: a.low - b.high, high: a.high - b.low };
      return everything;
    }
    default:
      return everything;
  }
}

/** Whether it is true whatever is measured, or false; undefined where that depends on the run. */
export function alwaysSays(expr: Expr, meaning: Meaning): boolean | undefined {
  if (expr.kind === "not") {
    const says = alwaysSays(expr.operand, meaning);
    return says === undefined ? undefined : !says;
  }
  if (expr.kind !== "binary") return undefined;
  const { op } = expr;
  if (op === "and" || op === "or") {
    const [a, b] = [alwaysSays(expr.left, meaning), alwaysSays(expr.right, meaning)];
    const decides = op === "or";
    if (a === decides || b === decides) return decides;
    return a === undefined || b === undefined ? undefined : !decides;
  }
  const [a, b] = [rangeOf(expr.left, meaning), rangeOf(expr.right, meaning)];
  if (op === "<") return a.high < b.low ? true : a.low >= b.high ? false : undefined;
  if (op === "<=") return a.high <= b.low ? true : a.low > b.high ? false : undefined;
  if (op === ">") return a.low > b.high ? true : a.high <= b.low ? false : undefined;
  if (op === ">=") return a.low >= b.high ? true : a.high < b.low ? false : undefined;
  return undefined;
}
