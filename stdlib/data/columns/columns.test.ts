import { describe, expect, test } from "vitest";
import type { Expr, Json } from "../../../grammar/index.ts";
import { column, columnsOf, transformWith } from "../../testing.ts";
import { filter, map, rename, select } from "./index.ts";

const row = { columns: { instruction: "string", output: "string", n: "number" } } as const;
const data = [
  { instruction: "add", output: "3", n: 1 },
  { instruction: "sub", output: "1", n: 2 },
];
const longer: Expr = {
  kind: "binary",
  op: ">",
  left: column("n"),
  right: { kind: "literal", value: 1, text: "1" },
  text: "n > 1",
};
const json = (value: unknown) => value as Json;

describe("select", () => {
  test("makes the columns that are named and no others", async () => {
    const params = { prompt: column("instruction"), big: longer };
    expect(await transformWith(select, data, params)).toEqual([
      { prompt: "add", big: false },
      { prompt: "sub", big: true },
    ]);
    expect(columnsOf(select, { row, params: { prompt: json(params.prompt), big: json(longer) } })).toEqual({
      prompt: "string",
      big: "boolean",
    });
  });

  test("names the row where a column is missing", async () => {
    await expect(transformWith(select, [{ b: 1 }], { a: column("a") })).rejects.toThrow(
      "`a` has no value for row 1, whose columns are b",
    );
  });
});

describe("rename", () => {
  test("keeps the other columns", async () => {
    expect(await transformWith(rename, data, { prompt: column("instruction") })).toEqual([
      { prompt: "add", output: "3", n: 1 },
      { prompt: "sub", output: "1", n: 2 },
    ]);
    expect(columnsOf(rename, { row, params: { prompt: json(column("instruction")) } })).toEqual({
      prompt: "string",
      output: "string",
      n: "number",
    });
  });

  test("can swap two columns", async () => {
    const swapped = { instruction: column("output"), output: column("instruction") };
    expect(await transformWith(rename, data.slice(0, 1), swapped)).toEqual([
      { instruction: "3", output: "add", n: 1 },
    ]);
  });

  test("refuses a name that is taken, and what is no column", () => {
    expect(columnsOf(rename, { row, params: { output: json(column("instruction")) } })).toBe(
      "the rows have a column `output` already",
    );
    expect(columnsOf(rename, { row, params: { big: json(longer) } })).toBe(
      "rename wants a column for `big`, `n > 1` is not one",
    );
  });
});

describe("filter", () => {
  test("keeps the rows for which the expression is true", async () => {
    expect(await transformWith(filter, data, { where: longer })).toEqual([data[1]]);
    expect(columnsOf(filter, { row })).toEqual(row.columns);
  });

  test("wants true or false", async () => {
    await expect(transformWith(filter, data, { where: column("n") })).rejects.toThrow(
      "`n` is 1 for row 1; true or false is wanted",
    );
  });
});

describe("map", () => {
  test("a template's input becomes the prompt, its target the completion, with a space between", async () => {
    const template = { input: "Do: {{ instruction }}.", target: "{{ output }}" };
    expect(await transformWith(map, data.slice(0, 1), { template })).toEqual([
      { prompt: "Do: add.", completion: " 3" },
    ]);
    const line = { input: "Do: {{ instruction }}\nAnswer:\n\n", target: "{{ output }}" };
    // Jinja drops one line end at the end of a template, as it always has.
    expect(await transformWith(map, data.slice(0, 1), { template: line })).toEqual([
      { prompt: "Do: add\nAnswer:\n", completion: "3" },
    ]);
    expect(columnsOf(map, { row, params: { template } })).toEqual({ prompt: "string", completion: "string" });
  });

  test("without a target there is only a prompt; columns may be called as Jinja's own words", async () => {
    const rows = [{ range: "to 5" }];
    expect(await transformWith(map, rows, { template: { input: "count {{ range }}" } })).toEqual([
      { prompt: "count to 5" },
    ]);
    expect(columnsOf(map, { params: { template: { input: "x" } } })).toEqual({ prompt: "string" });
  });
});
