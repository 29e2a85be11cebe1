import { expect, test } from "vitest";
import { alwaysSays } from "./metric-range.ts";
import type { Expr } from "./program.ts";

const literal = (value: number): Expr => ({ kind: "literal", value, text: String(value) });
const metric = (name: string): Expr => ({ kind: "metric", node: "s", name, text: `s.${name}` });
const binary = (left: Expr, op: (Expr & { kind: "binary" })["op"], right: Expr): Expr => ({
  kind: "binary",
  op,
  left,
  right,
  text: "",
});
const meaning = (_: string, name: string) =>
  ({ win_rate: "share of prompts won", rows: "number of rows", gain: "mean difference" })[name] ?? "";
const says = (expr: Expr) => alwaysSays(expr, meaning);

test("a share is never above 1 and never below 0", () => {
  expect(says(binary(metric("win_rate"), ">", literal(55)))).toBe(false);
  expect(says(binary(metric("win_rate"), ">", literal(1)))).toBe(false);
  expect(says(binary(metric("win_rate"), ">=", literal(1)))).toBeUndefined();
  expect(says(binary(metric("win_rate"), ">=", literal(0)))).toBe(true);
  expect(says(binary(literal(1), ">=", metric("win_rate")))).toBe(true);
});

test("a number of things is not negative; of other metrics nothing is known", () => {
  expect(says(binary(metric("rows"), "<", literal(0)))).toBe(false);
  expect(says(binary(metric("rows"), ">", literal(0)))).toBeUndefined();
  expect(says(binary(metric("gain"), ">", literal(55)))).toBeUndefined();
});

test("shares can be added, subtracted and turned around: 0..1 minus 0..1 is -1..1", () => {
  const difference = binary(metric("win_rate"), "-", metric("win_rate"));
  expect(says(binary(difference, "<=", literal(1)))).toBe(true);
  expect(says(binary(difference, ">", literal(0)))).toBeUndefined();
  expect(says(binary({ kind: "negate", operand: metric("win_rate"), text: "" }, ">", literal(0)))).toBe(
    false,
  );
});

test("and needs both, or needs one", () => {
  const never = binary(metric("win_rate"), ">", literal(2));
  const always = binary(metric("win_rate"), "<", literal(2));
  const unknown = binary(metric("gain"), ">", literal(0));
  expect(says(binary(never, "and", unknown))).toBe(false);
  expect(says(binary(always, "and", unknown))).toBeUndefined();
  expect(says(binary(always, "or", unknown))).toBe(true);
  expect(says(binary(never, "or", never))).toBe(false);
  expect(says({ kind: "not", operand: never, text: "" })).toBe(true);
});
