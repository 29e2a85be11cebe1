import { join } from "node:path";
import { expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { datasetOf, readWith, temporaryFolder } from "../testing.ts";
import { parquet } from "./source/index.ts";
import { peekFile } from "./source/peek.ts";
import { writeParquet } from "./write-parquet.ts";

async function written(rows: readonly RowData[]): Promise<string> {
  const file = join(await temporaryFolder(), "rows.parquet");
  await writeParquet(await datasetOf(rows), file);
  return file;
}
const again = async (rows: readonly RowData[]) => readWith(parquet, [await written(rows)]);

test("texts, numbers, lists, conversations and records come back as they were", async () => {
  const rows: RowData[] = [
    {
      id: 1,
      score: 0.5,
      kept: true,
      prompt: "Grüße, 世界 \n",
      tokens: [1, 2, 3],
      nested: [["a"], [], ["b", "c"]],
      messages: [
        { role: "user", content: "hello" },
        { role: "assistant", content: "hi" },
      ],
      about: { source: { name: "x" }, tags: ["a", "b"] },
    },
    {
      id: 2,
      score: 3,
      kept: false,
      prompt: "",
      tokens: [],
      nested: [],
      messages: [{ role: "user", content: "" }],
      about: { source: { name: "y" }, tags: [] },
    },
  ];
  expect(await again(rows)).toEqual(rows);
  expect(peekFile(await written(rows))).toMatchObject({
    prompt: "string",
    score: "number",
    messages: "messages",
  });
});

test("what is null or missing is null, and whole numbers beside fractions are numbers", async () => {
  expect(await again([{ a: 1, b: "x" }, { a: 0.5 }, { a: null, b: null }])).toEqual([
    { a: 1, b: "x" },
    { a: 0.5, b: null },
    { a: null, b: null },
  ]);
});

test("values that have no type in common are JSON, and so is an empty record", async () => {
  const rows: RowData[] = [
    { any: "text", empty: {} },
    { any: 3, empty: {} },
    { any: ["list", { of: "things" }], empty: {} },
  ];
  expect(await again(rows)).toEqual(rows);
});

test("more rows than are in memory together keep their order", async () => {
  const rows = Array.from({ length: 25_000 }, (_, id) => ({ id, text: `row ${id}` }));
  expect(await again(rows)).toEqual(rows);
});

test("a dataset without rows is a file without rows", async () => {
  expect(await again([])).toEqual([]);
});
