// A held-out row that is moved into training: two files with no lineage in common, which only their rows can tell.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";

const pipeline = `pipeline moved

dataset train = jsonl("train.jsonl") |> shuffle(seed: 1)
dataset test  = jsonl("test.jsonl")
dataset words = train |> select(text: prompt)
stage bpe   = tokenizer(words) { vocab_size: 300 }
model fresh = decoder(bpe) { layers: 1, hidden_size: 16, heads: 1, intermediate_size: 16, max_length: 64 }
stage tuned = sft(fresh, train) { steps: 1, batch_size: 4 }
stage exam  = evaluate(tuned, test) { metrics: ["exact_match"], max_new_tokens: 2 }
`;

const asked = (n: number) => `{"prompt": "what is ${n} and ${n} ?", "completion": " it is ${2 * n} ."}\n`;
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => asked(from + i)).join("");

let space: Workspace;
beforeAll(async () => {
  space = await workspace();
  await space.write("moved.align", pipeline);
  await space.write("train.jsonl", lines(0, 40));
  await space.write("test.jsonl", lines(50, 60));
});
afterAll(() => space.remove());

test("rows that are apart are passed over in silence", async () => {
  expect((await space.align("check", "moved.align")).stderr).toMatch(/ok, (?!.*warning)/);
  const { status, stderr } = await space.align("run", "moved.align");
  expect(stderr).not.toContain("warning");
  expect(status).toBe(0);
});

test("one moved row is found when the pipeline runs, with the row and the line of both files", async () => {
  // Rows 50 to 59 are held out; 53, in line 4, comes behind the 40 of training.
  await space.write("train.jsonl", lines(0, 40) + asked(53));
  const { status, stderr } = await space.align("run", "moved.align");
  expect(stderr).toContain(
    'warning[held-out-row-in-training]: tuned trains on a row of test: {"completion":" it is 106 .","prompt":"what is 53 and 53 ?"}',
  );
  expect(stderr).toContain("--> test.jsonl:4 and train.jsonl:41");
  expect(status).toBe(0);
});

test("made of one file, it is found before anything runs", async () => {
  await space.edit("moved.align", (text) => text.replace('jsonl("test.jsonl")', "train |> take(5)"));
  expect((await space.align("check", "moved.align")).stderr).toContain("AL0702");
});
