// `align store` as a person uses it, on the store of a small pipeline.
import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ran, type Workspace, workspace } from "../align.ts";

const file = "rows.align";
const text = (count: number) => `pipeline rows

dataset prose = text("a.txt") |> sentences(min_words: 1, max_words: 40)
dataset first = prose |> take(${count})

publish first to "out/first"
`;

let space: Workspace;
beforeAll(async () => {
  space = await workspace();
  await space.write("a.txt", "One is one. Two is two. Three is three.\n");
  await space.write(file, text(2));
  await space.align("run", file);
});
afterAll(() => space.remove());

test("ls names the stages, their sizes and where they were published", async () => {
  const { stdout, status } = await space.align("store", "ls", "--json");
  expect(status).toBe(0);
  const { artifacts, usage } = JSON.parse(stdout);
  expect(artifacts.map((a: { stages: string[] }) => a.stages[0]).sort()).toEqual([
    "rows.first",
    "rows.prose",
  ]);
  const first = artifacts.find((a: { stages: string[] }) => a.stages[0] === "rows.first");
  expect(first.published).toEqual([join(space.dir, "out/first")]);
  const size = (name: string) => readFileSync(join(space.dir, "out/first", name)).length;
  const published = readdirSync(join(space.dir, "out/first"));
  expect(first.bytes).toBe(published.reduce((sum, name) => sum + size(name), 0));
  expect(usage.artifacts).toBeGreaterThan(first.bytes);
  expect((await space.align("store", "ls")).stdout).toMatch(
    / B .* rows\.first {2}published to .*out\/first\n/,
  );
});

test("path names the store, and the folder of what a stage made", async () => {
  expect((await space.align("store", "path")).stdout).toBe(join(space.dir, ".align"));
  const { stdout } = await space.align("store", "path", file, "first");
  expect(readFileSync(join(stdout, "rows.jsonl"), "utf8")).toBe(
    readFileSync(join(space.dir, "out/first/rows.jsonl"), "utf8"),
  );
  const unknown = await space.align("store", "path", file, "frist");
  expect(unknown.status).toBe(2);
  expect(unknown.stderr).toContain("did you mean first?");
});

test("verify finds damage and sets it aside, and the next run builds it again", async () => {
  expect(await space.align("store", "verify")).toMatchObject({ status: 0 });
  const { stdout } = await space.align("store", "path", file, "prose");
  const rows = join(stdout, "rows.jsonl");
  chmodSync(rows, 0o644);
  truncateSync(rows, 5);
  const found = await space.align("store", "verify");
  expect(found.status).toBe(1);
  expect(found.stdout).toMatch(
    /✗ text \|> sentences \([0-9a-f]{12}\): rows\.jsonl has 5 bytes instead of \d+/,
  );
  expect(readdirSync(join(space.dir, ".align/quarantine"))).toHaveLength(2);
  expect(ran(await space.events(file))).toEqual(["prose"]);
  expect(await space.align("store", "verify")).toMatchObject({ status: 0 });
});

test("gc keeps what the last run reaches and what is published, and says how much it removes", async () => {
  await space.write(file, text(1));
  await space.align("run", file);
  await space.write(file, text(2));
  await space.align("run", file);
  // take(1) was a run ago.
  expect((await space.align("store", "gc", "--keep-runs", "2", "--dry-run")).stdout).toMatch(
    /^would remove 0 art/,
  );
  const dry = await space.align("store", "gc", "--keep-runs", "1", "--dry-run");
  expect(dry.stdout).toMatch(/^would remove 1 artifacts/);
  const done = await space.align("store", "gc", "--keep-runs", "1");
  expect(done.stdout).toBe(dry.stdout.replace("would remove", "removed"));
  expect(ran(await space.events(file))).toEqual([]);
  expect(existsSync(join(space.dir, "out/first/rows.jsonl"))).toBe(true);
  await space.write(file, text(1));
  expect(ran(await space.events(file))).toEqual(["first"]);
});
