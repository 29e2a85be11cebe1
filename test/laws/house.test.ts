// Rules of the house that a compiler cannot see.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const rooms = ["grammar", "tensor", "engine", "stdlib", "cli"];

const files = rooms.flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
    .filter((path) => !path.includes("/dist/") && !path.includes("/fixtures/")),
);
const sources = files.filter((path) => !/\.test\.ts$|testing\.ts$|contract\.ts$/.test(path));
const read = (path: string) => readFileSync(join(root, path), "utf8");
/** Without comments, roughly: enough to tell a use from a mention. */
const code = (path: string) =>
  read(path)
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .replace(/\/\/.*$/gm, "");

test("there is something to look at", () => {
  expect(sources.length).toBeGreaterThan(150);
});

test("every file begins with a sentence that says what it owns", () => {
  expect(sources.filter((path) => !/^\/\/ .+[.!?:]/.test(read(path)))).toEqual([]);
});

test("chance, time and environment come in only through ports and the command line", () => {
  // Which graphics drivers there are, what native runtimes are told, and where secrets come from.
  const ports = [
    "engine/ports.ts",
    "tensor/backends/graphics.ts",
    "tensor/backends/onnx/providers.ts",
    "tensor/backends/tfjs/load.ts",
    "stdlib/hf/run.ts",
    "stdlib/hf/rows.ts",
    "stdlib/exec/run.ts",
    "stdlib/assistant/api.ts",
  ];
  const allowed = (path: string) => path.startsWith("cli/") || ports.includes(path);
  const found = sources.filter(
    (path) => !allowed(path) && /Math\.random|Date\.now|new Date\(\)|process\.env/.test(code(path)),
  );
  expect(found).toEqual([]);
});

test("grammar uses nothing of Node", () => {
  expect(
    sources.filter(
      (path) => path.startsWith("grammar/") && /from "node:|process\.|Buffer\b/.test(code(path)),
    ),
  ).toEqual([]);
});

test("no file is longer than 700 lines, and half are at most 140", () => {
  const lengths = sources.map((path) => [path, read(path).split("\n").length] as const);
  expect(lengths.filter(([, lines]) => lines > 700)).toEqual([]);
  const median = lengths.map(([, lines]) => lines).sort((a, b) => a - b)[lengths.length >> 1]!;
  expect(median).toBeLessThanOrEqual(140);
});

test("the lock file names no host", () => {
  expect(read("package-lock.json")).not.toMatch(/"resolved": "https?:/);
});
