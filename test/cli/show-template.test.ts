// `align show FILE TEMPLATE`: rows as a model will read them.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";

const pipeline = `pipeline shown

dataset facts = jsonl("facts.jsonl")
dataset later = jsonl("facts.jsonl") |> skip(1)

template ask for facts, later { input: "Q: {{ question }}\\nA:", target: "{{ answer }}" }
template aside { input: "{{ question }}" }
template twice { input: "{{ question }} {{ question }}" }

dataset words = facts |> map(twice)
stage bpe     = tokenizer(words |> select(text: prompt)) { vocab_size: 300 }
model fresh   = decoder(bpe) { layers: 1, hidden_size: 16, heads: 1, intermediate_size: 16, max_length: 64 }
mixture some  = proportional([facts, later]) { examples: 4 }
stage tuned   = sft(fresh, some) { steps: 1, batch_size: 4 }
`;

let space: Workspace;
beforeAll(async () => {
  space = await workspace();
  await space.write("shown.align", pipeline);
  const row = (question: string, answer: string) => `${JSON.stringify({ question, answer })}\n`;
  await space.write("facts.jsonl", row("1 + 1?", "2") + row("the sea?", "wide"));
});
afterAll(() => space.remove());

test("before its rows are made it says how to make them", async () => {
  const { status, stdout } = await space.align("show", "shown.align", "ask");
  expect(status).toBe(0);
  expect(stdout).toContain("ask  template  of facts, later");
  expect(stdout).toContain("facts has not been made: align run shown.align --only facts");
});

test("the first rows of each dataset that it is written for stand in its words", async () => {
  await space.align("run", "shown.align", "--only", "facts");
  const { stdout } = await space.align("show", "shown.align", "ask", "--samples", "1");
  expect(stdout).toContain("facts, row 1\n  prompt\n  │Q: 1 + 1?│\n  │A:│\n  completion\n  │ 2│");
  expect(stdout).not.toContain("row 2");
  expect(stdout).toContain("later has not been made");
});

test("a template that is only given to a transform shows the rows that it transforms; as JSON too", async () => {
  const { stdout } = await space.align("show", "shown.align", "twice", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    template: "twice",
    rows: [
      { dataset: "facts", row: 1, prompt: "1 + 1? 1 + 1?" },
      { dataset: "facts", row: 2, prompt: "the sea? the sea?" },
    ],
    missing: [],
  });
});

test("one that nothing uses says so, and a misspelt one is guessed", async () => {
  expect((await space.align("show", "shown.align", "aside")).stdout).toContain("no dataset of this pipeline");
  const { status, stderr } = await space.align("show", "shown.align", "twize");
  expect(status).toBe(2);
  expect(stderr).toContain("did you mean twice?");
});
