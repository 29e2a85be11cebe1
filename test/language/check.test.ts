// `align check` as a person calls it: --fix mends what has one remedy, --format says the same as data.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { check } from "../../cli/commands/check.ts";

const dir = mkdtempSync(join(tmpdir(), "align-check-"));
const file = join(dir, "x.align");
const said: string[] = [];
const printed: string[] = [];
vi.spyOn(console, "error").mockImplementation((text) => void said.push(text));
vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
vi.spyOn(process.stdout, "write").mockImplementation((text) => printed.push(String(text)) > 0);
vi.spyOn(console, "log").mockImplementation((text) => void printed.push(text));

const damaged =
  'pipeline p\ndataset book = text("book.txt")\nstge bpe = tokeniser(bok) { vocab_size = 300 }\n';

beforeEach(() => {
  said.length = 0;
  printed.length = 0;
  writeFileSync(join(dir, "book.txt"), "A line.\n");
  writeFileSync(file, damaged);
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

test("--fix mends four mistakes that hide each other, and the file checks", async () => {
  expect(await check([file], { format: "text", fix: true, set: {} })).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(
    'pipeline p\ndataset book = text("book.txt")\nstage bpe = tokenizer(book) { vocab_size: 300 }\n',
  );
  expect(said).toEqual([`${file}: 4 fixes applied`, `${file}: ok, 1 dataset, 0 models, 1 stage`]);
});

test("without --fix nothing is written", async () => {
  expect(await check([file], { format: "text", set: {} })).toBe(2);
  expect(readFileSync(file, "utf8")).toBe(damaged);
});

test("SARIF is one log of all files", async () => {
  expect(await check([file, file], { format: "sarif", set: {} })).toBe(2);
  const log = JSON.parse(printed.join(""));
  expect(log.version).toBe("2.1.0");
  expect(log.runs).toHaveLength(1);
  expect(log.runs[0].results[0]).toMatchObject({ ruleId: "AL0009", level: "error" });
  expect(said).toEqual([]);
});

test("JSON names the page of each code", async () => {
  expect(await check([file], { format: "json", set: {} })).toBe(2);
  expect(JSON.parse(printed.join(""))[0]).toMatchObject({ code: "AL0009", url: "docs/codes/AL0009.md" });
});
