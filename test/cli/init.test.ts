import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";

let w: Workspace;
beforeAll(async () => {
  w = await workspace();
});
afterAll(() => w.remove());

test("what it writes is formatted, checks without a word, runs, and does what it says", async () => {
  const { status, stdout } = await w.align("init", "hello");
  expect(status).toBe(0);
  expect(stdout).toBe("hello/hello.align\nhello/words.json\n\nNext:  align run hello/hello.align");
  expect(await w.align("fmt", "--check", "hello/hello.align")).toMatchObject({ status: 0 });
  expect(await w.align("check", "hello/hello.align")).toMatchObject({
    status: 0,
    stderr: "hello/hello.align: ok, 5 datasets, 2 models, 8 stages",
  });
  const run = await w.align("run", "hello/hello.align");
  expect(run.status, run.stderr).toBe(0);
  expect(existsSync(join(w.dir, "hello/out/aligned/model.safetensors"))).toBe(true);
});

test("another word for it changes nothing before the judge", async () => {
  await w.edit("hello/words.json", (text) => text.replace('"good": 1', '"good": 3'));
  const { stdout } = await w.align("plan", "hello/hello.align");
  const willRun = [...stdout.matchAll(/^[●○] (\S+)/gm)].map(([, stage]) => stage);
  expect(willRun).toEqual(["taste", "judged", "pairs", "aligned", "result"]);
});

test("a folder's name becomes the pipeline's, where it can", async () => {
  expect((await w.align("init", "My-Model 2")).stdout).toContain("align run 'My-Model 2/my_model_2.align'");
  expect(await w.read("My-Model 2/my_model_2.align")).toContain("\npipeline my_model_2\n");
  expect((await w.align("init", "3d")).stdout).toContain("3d/first.align");
});

test("nothing that is there is touched", async () => {
  const before = await w.read("hello/words.json");
  const again = await w.align("init", "hello");
  expect(again.status).toBe(2);
  expect(again.stderr).toContain("hello/hello.align is there already; nothing was written");
  expect(await w.read("hello/words.json")).toBe(before);

  await w.write("notes.txt", "mine");
  expect((await w.align("init", "notes.txt/x")).status).toBe(1);
  expect(await w.read("notes.txt")).toBe("mine");
});
