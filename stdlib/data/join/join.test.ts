import { expect, test } from "vitest";
import { columnsOf, datasetOf, transformWith } from "../../testing.ts";
import { join } from "./index.ts";

const rows = [
  { id: 1, text: "a" },
  { id: 2, text: "b" },
];

test("rows get the columns of each partner; without one they are left out or kept", async () => {
  const inputs = {
    other: await datasetOf([
      { id: 1, score: 5 },
      { id: 1, score: 7 },
      { id: 3, score: 9 },
    ]),
  };
  const paired = [
    { id: 1, text: "a", score: 5 },
    { id: 1, text: "a", score: 7 },
  ];
  expect(await transformWith(join, rows, { on: ["id"] }, { inputs })).toEqual(paired);
  expect(await transformWith(join, rows, { on: ["id"], how: "left" }, { inputs })).toEqual([
    ...paired,
    rows[1],
  ]);
});

test("its columns are those of both; a key must be in both, any other in one", () => {
  const row = { columns: { id: "number", text: "string" } } as const;
  const facts = (columns: Record<string, "string" | "number">, on: string) => ({
    row,
    inputs: { other: { kind: "dataset", row: { columns } } as const },
    params: { on: [on] },
  });
  expect(columnsOf(join, facts({ id: "number", score: "number" }, "id"))).toEqual({
    id: "number",
    text: "string",
    score: "number",
  });
  expect(columnsOf(join, facts({ score: "number" }, "id"))).toBe("the other rows have no column `id`");
  expect(columnsOf(join, facts({ id: "number", text: "string" }, "id"))).toBe("both have a column `text`");
});
