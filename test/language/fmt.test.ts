// `align fmt` as a person calls it: in place, --check, --diff; and what we write ourselves is formatted.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { fmt } from "../../cli/commands/fmt.ts";
import { format } from "../../grammar/index.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dir = mkdtempSync(join(tmpdir(), "align-fmt-"));
const file = join(dir, "x.align");
const said: string[] = [];
vi.spyOn(console, "error").mockImplementation((text) => void said.push(text));
vi.spyOn(process.stdout, "write").mockImplementation((text) => said.push(String(text)) > 0);

beforeEach(() => {
  said.length = 0;
  writeFileSync(file, "pipeline   p\nstage a=f( 1 )\n");
});
afterAll(() => {
  vi.restoreAllMocks();
  rmSync(dir, { recursive: true });
});

test("files are formatted in place, once", async () => {
  expect(await fmt([file], {})).toBe(0);
  expect(readFileSync(file, "utf8")).toBe("pipeline p\nstage a = f(1)\n");
  expect(said).toEqual([`${file}: formatted`]);
  said.length = 0;
  expect(await fmt([file], {})).toBe(0);
  expect(said).toEqual([]);
});

test("--check and --diff change nothing and end with 1 when there is something to change", async () => {
  expect(await fmt([file], { check: true })).toBe(1);
  expect(said.join("")).toContain("not formatted");
  said.length = 0;
  expect(await fmt([file], { diff: true })).toBe(1);
  expect(said.join("")).toBe(
    `--- ${file}\n+++ ${file}\n@@ -1,3 +1,3 @@\n-pipeline   p\n-stage a=f( 1 )\n+pipeline p\n+stage a = f(1)\n \n`,
  );
  expect(readFileSync(file, "utf8")).toContain("a=f( 1 )");
  writeFileSync(file, "pipeline p\n");
  expect(await fmt([file], { check: true, diff: true })).toBe(0);
});

test("a file that is not there is wrong usage", async () => {
  expect(await fmt([join(dir, "nowhere.align"), file], {})).toBe(2);
  expect(said.join("")).toContain("there is no such file");
  expect(readFileSync(file, "utf8")).toContain("f(1)");
  expect(await fmt([], {})).toBe(2);
});

const ours = ["examples"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".align") && !path.includes("node_modules"))
    .map((path) => join(folder, path)),
);
const book = readFileSync(join(root, "docs/language.md"), "utf8");
const examples = [...book.matchAll(/```align\n([\s\S]*?)```/g)].map(
  (m) => ["docs/language.md", m[1]!] as const,
);

test.each([...ours.map((path) => [path, readFileSync(join(root, path), "utf8")] as const), ...examples])(
  "%s is formatted",
  (path, text) => {
    expect(text).toBe(format({ path, text }));
  },
);
