// Rows become text in three ways: as they are, through a template, through a chat template. Each trains.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunEvent, type Workspace, workspace } from "../align.ts";
import { corpus } from "./make-corpus.ts";

const pipeline = `pipeline texts

dataset prose = text("corpus.txt") |> sentences()
dataset facts = jsonl("facts.jsonl")
dataset talks = jsonl("talks.jsonl") as Chat

stage bpe = tokenizer(prose) {
  vocab_size: 320
  special_tokens: ["<|user|>", "<|assistant|>", "<|end|>"]
  chat_template: "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
}
model fresh = decoder(bpe) { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 32, max_length: 64 }

template ask {
  input: "What does {{ who }} do?"
  target: "{{ does }}"
}

stage asked  = sft(fresh, facts) { template: ask, steps: 2, batch_size: 2 }
stage talked = sft(fresh, talks) { steps: 2, batch_size: 2 }
stage whole  = sft(fresh, prose) { steps: 2, batch_size: 2 }
`;

let space: Workspace;
let events: RunEvent[];

beforeAll(async () => {
  space = await workspace();
  await space.write("corpus.txt", corpus(50, 1));
  const lines = (rows: unknown[]) => `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`;
  await space.write(
    "facts.jsonl",
    lines([
      { who: "a bee", does: "hums" },
      { who: "a cat", does: "naps" },
    ]),
  );
  const talk = (content: string) => [
    { role: "user", content: "hello" },
    { role: "assistant", content },
  ];
  await space.write("talks.jsonl", lines([{ messages: talk("hi") }, { messages: talk("good day") }]));
  await space.write("texts.align", pipeline);
  events = await space.events("texts.align");
});
afterAll(() => space.remove());

const metrics = (node: string) =>
  events.find((event) => event.type === "task-finished" && event.node === node)?.metrics as Record<
    string,
    number
  >;

test("every way trains", () => {
  expect(events.filter(({ type }) => type === "task-failed")).toEqual([]);
  for (const node of ["asked", "talked", "whole"]) expect(metrics(node).steps, node).toBe(2);
});

test("only the completion is supervised, with the end of text", () => {
  // Two examples a step, two steps: " hums" and " naps" are at most 5 bytes and an end each.
  expect(metrics("asked").tokens).toBeLessThanOrEqual(2 * 2 * 6);
  // "hi" + <|end|> and "good day" + <|end|>; the user's turn counts nothing.
  expect(metrics("talked").tokens).toBeLessThanOrEqual(2 * (2 + 1 + 8 + 1));
  expect(metrics("talked").tokens).toBeGreaterThan(0);
});
