import { describe, expect, test } from "vitest";
import { columnsOf, datasetOf, transformWith } from "../../testing.ts";
import { concat, sample, shuffle, skip, take } from "./index.ts";

const rows = Array.from({ length: 10 }, (_, n) => ({ n }));
const numbers = (rows: readonly { readonly [c: string]: unknown }[]) => rows.map((row) => row.n);

test("take and skip part the rows in two", async () => {
  expect(numbers(await transformWith(take, rows, { n: 3 }))).toEqual([0, 1, 2]);
  expect(numbers(await transformWith(skip, rows, { n: 3 }))).toEqual([3, 4, 5, 6, 7, 8, 9]);
  expect(await transformWith(take, rows, { n: 0 })).toEqual([]);
  expect(await transformWith(take, rows, { n: 99 })).toEqual(rows);
});

describe("sample", () => {
  test("draws n different rows and keeps their order", async () => {
    const drawn = numbers(await transformWith(sample, rows, { n: 4 })) as number[];
    expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
    expect(drawn).toHaveLength(4);
    expect(await transformWith(sample, rows, { n: 99 })).toEqual(rows);
  });

  test("draws every row equally often", async () => {
    const counts = new Array<number>(10).fill(0);
    for (let seed = 0; seed < 1000; seed++) {
      for (const n of numbers(await transformWith(sample, rows, { n: 3, seed }))) counts[n as number]!++;
    }
    // 3 of 10: expected 300 each, standard deviation sqrt(1000 · 0.3 · 0.7) = 14.5; six of them.
    for (const count of counts) expect(Math.abs(count - 300)).toBeLessThan(87);
  });
});

test("shuffle keeps every row, the same way for the same seed", async () => {
  const once = await transformWith(shuffle, rows, { seed: 1 });
  expect(once).not.toEqual(rows);
  expect([...numbers(once)].sort()).toEqual(numbers(rows));
  expect(await transformWith(shuffle, rows, { seed: 1 })).toEqual(once);
  expect(await transformWith(shuffle, rows, { seed: 2 })).not.toEqual(once);
});

test("concat appends the others in order; their common columns remain", async () => {
  const inputs = { others: [await datasetOf([{ n: 10 }]), await datasetOf([{ n: 11 }])] };
  expect(numbers(await transformWith(concat, rows.slice(0, 1), {}, { inputs }))).toEqual([0, 10, 11]);
  const row = { columns: { n: "number", a: "string" } } as const;
  const other = { kind: "dataset", row: { columns: { n: "number", a: "list", b: "any" } } } as const;
  expect(columnsOf(concat, { row, inputs: { others: { kind: "list", of: other } } })).toEqual({
    n: "number",
    a: "any",
  });
});
