import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stream } from "../../tensor/index.ts";
import { temporaryFolder } from "../testing.ts";
import { ExampleStore } from "./examples.ts";
import { bins } from "./packing.ts";
import { type Example, supervised } from "./padding.ts";

const random = stream(1);
const examples = Array.from({ length: 300 }, () => ({
  ids: Array.from({ length: random.int(40) }, () => random.int(70_000)),
})).map(({ ids }) => ({ ids, mask: ids.map(() => random.int(3) > 0) }));

test.each([
  ["in memory", undefined],
  ["in a file", 1000],
])("examples come back as they went, with any mask, %s", async (_, held) => {
  const path = join(await temporaryFolder(), "examples");
  const store = new ExampleStore<Example>({ largest: 70_000, path, ...(held && { held }) });
  for (const example of examples) store.add(example);
  expect(existsSync(path)).toBe(held !== undefined);
  const order = stream(2).permutation(store.count);
  expect(order.map((i) => store.at(i))).toEqual(order.map((i) => examples[i]));
  expect(store.tokens([3, 5])).toBe(supervised(examples[3]!) + supervised(examples[5]!));
});

test("small numbers take two bytes: 2 lengths, 3 runs and 4 tokens are 18", () => {
  const store = new ExampleStore<Example>({ largest: 65_535, held: 18 });
  store.add({ ids: [1, 2, 65_535, 4], mask: [false, true, true, false] });
  expect(store.at(0)).toEqual({ ids: [1, 2, 65_535, 4], mask: [false, true, true, false] });
});

test("what an encoder reads is kept too, and an empty one is not none", () => {
  const store = new ExampleStore({ largest: 100 });
  const some = { ids: [0, 7], mask: [false, true], source: [5, 6, 1] };
  for (const example of [some, { ...some, source: [] }]) store.add(example);
  expect([store.at(0), store.at(1)]).toEqual([some, { ...some, source: [] }]);
});

test("packing 2,000 examples loses none, overfills no row and fills them well", () => {
  const random = stream(3);
  const sizes = Array.from({ length: 2000 }, () => 1 + random.int(60));
  const { starts, members } = bins(sizes, 64);
  expect([...members].sort((a, b) => a - b)).toEqual([...sizes.keys()]);
  const rows = Array.from({ length: starts.length - 1 }, (_, r) => [
    ...members.subarray(starts[r], starts[r + 1]),
  ]);
  const filled = rows.map((row) => row.reduce((sum, at) => sum + sizes[at]!, 0));
  expect(Math.max(...filled)).toBeLessThanOrEqual(64);
  // Rows are in order of their first example, and each in its own.
  expect(rows.map((row) => row[0]!)).toEqual(rows.map((row) => row[0]!).sort((a, b) => a - b));
  for (const row of rows) expect(row).toEqual([...row].sort((a, b) => a - b));
  // Best fit decreasing is within 11/9 of the fewest rows possible (Johnson 1974); here it needs less than 3% more than full ones.
  const tokens = sizes.reduce((sum, size) => sum + size, 0);
  expect(rows.length).toBeLessThan(1.03 * (tokens / 64));
});
