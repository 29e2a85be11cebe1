// Mistakes as a person makes them, through the whole command: place, what, why, what to do; no stack; the right exit status.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";
import { corpus, words } from "../runs/make-corpus.ts";

let space: Workspace;
let sound: string;

beforeAll(async () => {
  space = await workspace("test/runs");
  await space.write("corpus.txt", corpus(400, 3));
  await space.write("words.json", JSON.stringify(words));
  sound = await space.read("tiny.align");
});
afterAll(() => space.remove());

/** `align run` on the tiny pipeline with one thing changed. */
async function broken(change: (text: string) => string, ...args: string[]) {
  const text = change(sound);
  expect(text, "the change must change something").not.toBe(sound);
  await space.write("broken.align", text);
  const result = await space.align("run", "broken.align", ...args);
  expect(result.stderr).not.toMatch(/\n\s+at .*:\d+:\d+/); // no stack trace
  return result;
}

test("the sound file checks clean", async () => {
  expect(await space.align("check", "tiny.align")).toEqual({
    status: 0,
    stdout: "",
    stderr: "tiny.align: ok, 6 datasets, 2 models, 8 stages",
  });
});

test("a mistyped stage name is underlined and the nearest operation proposed", async () => {
  const { status, stderr } = await broken((text) => text.replace("= dpo(", "= dpoo("));
  expect(status).toBe(2);
  expect(stderr).toContain("broken.align:23:17");
  expect(stderr).toMatch(/dpoo/);
  expect(stderr).toMatch(/\^{4}/);
  expect(stderr).toMatch(/help.*dpo\b/);
});

test("an unknown parameter is an error with the nearest one", async () => {
  const { status, stderr } = await broken((text) => text.replace("beta: beta, steps", "betta: beta, steps"));
  expect(status).toBe(2);
  expect(stderr).toMatch(/betta/);
  expect(stderr).toMatch(/help.*beta\b/);
});

test("rated rows fed to dpo are shown at both ends, with the operation that makes pairs", async () => {
  const { status, stderr } = await broken((text) =>
    text.replace("dpo(writer, pairs)", "dpo(writer, scored)"),
  );
  expect(status).toBe(2);
  expect(stderr).toMatch(/chosen/);
  expect(stderr).toMatch(/help.*binarize\(scored\)/);
});

test("a template variable that is not a column is found inside the Jinja", async () => {
  const { status, stderr } = await broken(
    (text) =>
      `${text.replace("sft(base, demos) { ", "sft(base, demos) { template: ask, ")}
template ask {
  input: "Continue: {{ promt }}"
  target: "{{ completion }}"
}
`,
  );
  expect(status).toBe(2);
  expect(stderr).toMatch(/promt/);
  expect(stderr).toMatch(/help.*prompt/);
});

test("a missing file is named at its place in the source", async () => {
  const { status, stderr } = await broken((text) => text.replace('text("corpus.txt")', 'text("corpsu.txt")'));
  expect(status).toBe(2);
  expect(stderr).toMatch(/corpsu\.txt/);
  expect(stderr).toMatch(/broken\.align:7:/);
  expect(stderr).toMatch(/help.*corpus\.txt/);
});

test("a JSONL file with a broken line fails its stage at run time, with file and line", async () => {
  await space.write("rows.jsonl", '{"prompt": "a", "completion": "b"}\n{"prompt": "c", "completion": \n');
  const { status, stderr } = await broken((text) =>
    text.replace(/dataset demos .*/, 'dataset demos = jsonl("rows.jsonl") as Instruction'),
  );
  expect(status).toBe(1);
  expect(stderr).toMatch(/rows\.jsonl:2/);
  expect(stderr).toMatch(/demos/);
});

test("a value out of its range says the values", async () => {
  const { status, stderr } = await space.align("run", "tiny.align", "--set", "beta=-1");
  expect(status).toBe(2);
  expect(stderr).toMatch(/beta/);
  expect(stderr).toMatch(/> 0/);
});

test("wrong usage ends with status 2 and says what is known", async () => {
  const { status, stderr } = await space.align("rnu", "tiny.align");
  expect(status).toBe(2);
  expect(stderr).toMatch(/unknown command 'rnu'/);
});

test("a file that is not there", async () => {
  const { status, stderr } = await space.align("check", "nowhere.align");
  expect(status).toBe(2);
  expect(stderr).toMatch(/cannot read nowhere\.align: there is no such file/);
});

test("an expectation that does not hold ends with status 3 and the values", async () => {
  const { status, stdout } = await broken((text) =>
    text.replace("expect result.kl >= 0", 'expect result.kl < 0 "kl is never negative"'),
  );
  expect(status).toBe(3);
  expect(stdout).toMatch(/✗ expect result\.kl < 0 {2}result\.kl = /);
  expect(stdout).toMatch(/kl is never negative/);
});
