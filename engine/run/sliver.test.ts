// Which rows a rehearsal works on: few, from everywhere, always the same.
import { expect, test } from "vitest";
import type { RowData } from "../task.ts";
import { some } from "./sliver.ts";

async function* rows(count: number, seen: { count: number } = { count: 0 }): AsyncGenerator<RowData> {
  for (let i = 0; i < count; i++) {
    seen.count++;
    yield { i };
  }
}
async function places(count: number): Promise<number[]> {
  const kept: number[] = [];
  for await (const { i } of some(rows(count))) kept.push(i as number);
  return kept;
}

test("few rows are kept as they are", async () => {
  expect(await places(0)).toEqual([]);
  expect(await places(500)).toEqual(Array.from({ length: 500 }, (_, i) => i));
});

test("of many 512 are kept in their order, the same every time", async () => {
  const kept = await places(10_000);
  expect(kept).toHaveLength(512);
  expect(kept).toEqual(kept.toSorted((a, b) => a - b));
  expect(await places(10_000)).toEqual(kept);
});

test("they are of every prompt of a question and of every part, so that a filter by either leaves some", async () => {
  const kept = await places(8192);
  for (const period of [2, 3, 7, 8, 10, 16]) {
    // 512 in 16 are 32 each, give or take five standard deviations of √32.
    const least = 512 / period - 5 * Math.sqrt(512 / period);
    for (let place = 0; place < period; place++)
      expect(kept.filter((i) => i % period === place).length).toBeGreaterThan(Math.max(0, least));
  }
  for (let part = 0; part < 16; part++)
    expect(kept.filter((i) => Math.floor(i / 512) === part).length).toBeGreaterThan(4);
});

test("no more than 8192 are looked at", async () => {
  const seen = { count: 0 };
  for await (const _ of some(rows(100_000, seen)));
  expect(seen.count).toBe(8192);
});
