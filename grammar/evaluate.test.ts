import { describe, expect, test } from "vitest";
import { evaluate, evaluateExpectation, evaluateRow, explain } from "./evaluate.ts";
import { lowerExpression, nothing } from "./expression.ts";
import { functions } from "./functions.ts";
import { parse } from "./parse.ts";
import type { Expr } from "./program.ts";
import type { Json } from "./types.ts";

/** `a.b` is a metric, a bare word a column. */
function expr(text: string): Expr {
  const source = { path: "x", text: `expect ${text}` };
  const [d] = parse(source).file.declarations;
  if (d?.kind !== "expect") throw new Error("not an expression");
  const lowered = lowerExpression(d.value, source, {
    reference: (name, t) => ({
      expr: { kind: "column", name: name.text, text: t },
      type: "any",
      problems: [],
    }),
    member: (m, t) =>
      m.object.kind === "reference"
        ? {
            expr: { kind: "metric", node: m.object.name.text, name: m.name.text, text: t },
            type: "number",
            problems: [],
          }
        : nothing(),
  });
  expect(lowered.problems).toEqual([]);
  return lowered.expr!;
}

describe("an expectation", () => {
  test("that holds", () => {
    const outcome = evaluateExpectation(expr("result.gain_low > 0"), { result: { gain_low: 0.25 } });
    expect(outcome).toMatchObject({ holds: true, value: true });
  });

  test("that fails shows the values of its parts", () => {
    const outcome = evaluateExpectation(expr("result.gain_low > 0"), { result: { gain_low: -0.125 } });
    expect(outcome.holds).toBe(false);
    expect(outcome.explanation.join("\n")).toBe(
      ["result.gain_low > 0", "|               |", "-0.125          false"].join("\n"),
    );
  });

  test("over several metrics", () => {
    const outcome = evaluateExpectation(expr("a.x + b.y * 2 <= 1 and a.x > 0"), {
      a: { x: 0.5 },
      b: { y: 1.5 },
    });
    expect(outcome.explanation.join("\n")).toBe(
      [
        "a.x + b.y * 2 <= 1 and a.x > 0",
        "|   | |   |   |    |   |   |",
        "0.5 | 1.5 3   |    |   0.5 true",
        "    3.5       |    false",
        "              false",
      ].join("\n"),
    );
  });

  test("whose metric was not reported does not hold, and says so", () => {
    const outcome = evaluateExpectation(expr("result.gain > 0"), { result: {} });
    expect(outcome).toMatchObject({ holds: false, problem: "`result` did not report `gain`" });
    expect(outcome.explanation.join("\n")).toBe("result.gain > 0\n|           |\nno value    no value");
  });
});

describe("over a row", () => {
  const row: Record<string, Json> = {
    text: "Call me Ishmael.",
    year: 1851,
    tags: ["sea", "whale"],
    book: { title: "Moby-Dick" },
  };
  test.each<[string, Json]>([
    ["words(text)", 3],
    ["length(text)", 16],
    ["length(tags)", 2],
    ["lower(text)", "call me ishmael."],
    ['contains(text, "Ish")', true],
    ['contains(tags, "ship")', false],
    ['position(tags, "whale")', 1],
    ['[year - 1, "sea"]', [1850, "sea"]],
    ['field(book, "title")', "Moby-Dick"],
    ['starts_with(text, "Call") and ends_with(text, ".")', true],
    ["year - 1800 >= 51", true],
    ["not (year > 1900 or words(text) == 3)", false],
    ["max(year, 1900) / 2", 950],
    ['text != "x"', true],
  ])("%s", (text, wanted) => {
    expect(evaluateRow(expr(text), row)).toEqual(wanted);
  });

  test("a column that is absent has no value, nor has what is made of it", () => {
    expect(evaluateRow(expr("words(missing) > 3"), row)).toBeUndefined();
    expect(evaluateRow(expr('position(tags, "ship")'), row)).toBeUndefined();
    expect(evaluateRow(expr('field(book, "author")'), row)).toBeUndefined();
    expect(evaluate(expr("1 / 0"))).toBeUndefined();
  });
});

test("every function has a doc and as many arguments as it says", () => {
  for (const [name, fn] of Object.entries(functions)) {
    expect(fn.doc, name).toMatch(/\w/);
    expect(fn.takes.length, name).toBeGreaterThan(0);
  }
});

test("an explanation begins with what was written, with its parentheses", () => {
  expect(explain(expr("(1 + 2) / (3)"))[0]).toBe("(1 + 2) / (3)");
});

test("a plain literal is its own explanation", () => {
  expect(explain(expr("3"))).toEqual(["3"]);
});
