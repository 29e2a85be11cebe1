import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../testing.ts";
import { Records } from "./records.ts";

const lines = Array.from({ length: 1000 }, (_, i) => "x".repeat(i % 7) + i);

function filled(options: { path?: string; held?: number }): Records {
  const records = new Records(options);
  for (const line of lines) records.add(Buffer.from(line));
  return records;
}

const text = (records: Records, index: number) => Buffer.from(records.at(index)).toString();

test("few records stay in memory, and no file is made", async () => {
  const path = join(await temporaryFolder(), "records");
  const records = filled({ path });
  expect(lines.map((_, i) => text(records, i))).toEqual(lines);
  expect(existsSync(path)).toBe(false);
});

test("many go to the file but for the last, and any can be had in any order", async () => {
  const path = join(await temporaryFolder(), "records");
  const records = filled({ path, held: 5000 });
  const size = lines.join("").length;
  // Written whenever 5,000 bytes are together, of 5,887; a record is 9 bytes at most.
  expect(size).toBe(5887);
  expect(statSync(path).size).toBeGreaterThan(4990);
  expect(statSync(path).size).toBeLessThanOrEqual(5000);
  const backwards = [...lines.keys()].reverse();
  expect(backwards.map((i) => text(records, i))).toEqual([...lines].reverse());
  records.add(Buffer.from("one more"));
  expect(text(records, 1000)).toBe("one more");
  records.close();
});

test("a record larger than what is held at once is kept whole", async () => {
  const path = join(await temporaryFolder(), "records");
  const records = new Records({ path, held: 10 });
  for (const line of ["a", "b".repeat(9000), "c"]) records.add(Buffer.from(line));
  expect([0, 1, 2].map((i) => text(records, i))).toEqual(["a", "b".repeat(9000), "c"]);
  records.close();
});
