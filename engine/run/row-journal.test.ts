import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { once, openRowJournal } from "./row-journal.ts";

const dir = mkdtempSync(join(tmpdir(), "align-rows-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;
const fresh = () => join(dir, "rows", `${files++}.jsonl`);

test("a row is worked out once, in this process and in the next", async () => {
  const path = fresh();
  let calls = 0;
  const score = async () => ++calls;
  const first = openRowJournal(path);
  expect(await once(first, { prompt: "a" }, score)).toBe(1);
  expect(await once(first, { prompt: "a" }, score)).toBe(1);
  expect(await once(first, { prompt: "b" }, score)).toBe(2);
  first.close();
  const second = openRowJournal(path);
  expect(await once(second, { prompt: "b" }, score)).toBe(2);
  expect(await once(second, { prompt: "c" }, score)).toBe(3);
  second.close();
});

test("a row counts by its content, whatever the order of its columns", () => {
  const journal = openRowJournal(fresh());
  journal.put({ a: 1, b: [2] }, "x");
  expect(journal.get({ b: [2], a: 1 })).toBe("x");
  expect(journal.get({ a: 1, b: [3] })).toBeUndefined();
  journal.close();
});

test("a torn last line costs that row, and not the one that is put after it", () => {
  const path = fresh();
  const first = openRowJournal(path);
  first.put("a", 1);
  first.put("b", 2);
  first.close();
  writeFileSync(path, readFileSync(path, "utf8").slice(0, -4));
  const second = openRowJournal(path);
  expect([second.get("a"), second.get("b")]).toEqual([1, undefined]);
  second.put("c", 3);
  second.close();
  const third = openRowJournal(path);
  expect([third.get("a"), third.get("b"), third.get("c")]).toEqual([1, undefined, 3]);
  third.close();
});

test("a result that was changed in place is not believed", () => {
  const path = fresh();
  const first = openRowJournal(path);
  first.put("a", 0.25);
  first.close();
  writeFileSync(path, readFileSync(path, "utf8").replace("0.25", "0.75"));
  const second = openRowJournal(path);
  expect(second.get("a")).toBeUndefined();
  second.close();
});

test("two processes may write at once", () => {
  const path = fresh();
  const [one, two] = [openRowJournal(path), openRowJournal(path)];
  one.put("a", 1);
  two.put("b", 2);
  one.put("c", 3);
  appendFileSync(path, "not a line of ours\n");
  one.close();
  two.close();
  const all = openRowJournal(path);
  expect(["a", "b", "c"].map((row) => all.get(row))).toEqual([1, 2, 3]);
  all.close();
});
