// An encoder-decoder from nothing: filled gaps, adapted to language modelling, tuned, asked, and opened again from its folder.
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunEvent, type Workspace, workspace } from "../align.ts";

const pipeline = `pipeline t5

param recipe_steps: int(> 0) = 150

dataset prose = jsonl("prose.jsonl")
dataset questions = jsonl("questions.jsonl")
dataset demos = questions |> select(prompt: prompt, completion: answer)

stage words = tokenizer(prose) { vocab_size: 300 }
model fresh = encoder_decoder(words) { layers: 1, hidden_size: 32, heads: 2, intermediate_size: 48, extra_ids: 8, seed: 1 }

stage spans = pretrain(fresh, prose) {
  objective: span_corruption(noise_density: 20%, mean_noise_span_length: 2)
  steps: 40
  batch_size: 8
  sequence_length: 24
  optimizer: adafactor
  scale_parameter: true
  learning_rate: 2e-2
  seed: 1
}
stage base = pretrain(spans, prose) {
  objective: prefix_lm
  steps: recipe_steps
  batch_size: 16
  sequence_length: 24
  optimizer: adafactor
  scale_parameter: true
  learning_rate: 2e-2
  seed: 1
}
stage known = classify(base, questions)
stage tuned = sft(base, demos) { steps: 10, batch_size: 6, optimizer: adafactor, scale_parameter: true, learning_rate: 5e-3, seed: 1 }
stage said = generate(tuned, demos |> select(prompt)) { samples: 1, temperature: 0, max_new_tokens: 8 }
stage exact = evaluate(tuned, demos)
`;

const young = { dog: "puppy", cat: "kitten", horse: "foal", sheep: "lamb", lion: "cub", goat: "kid" };

let space: Workspace;
let events: RunEvent[];

beforeAll(async () => {
  space = await workspace();
  const lines = (rows: unknown[]) => `${rows.map((row) => JSON.stringify(row)).join("\n")}\n`;
  const pairs = Object.entries(young);
  const facts = pairs.map(([parent, child]) => ({ text: `the young of a ${parent} is a ${child}` }));
  await space.write("prose.jsonl", lines(Array(20).fill(facts).flat()));
  const choices = pairs.map(([, child]) => ` ${child}`);
  await space.write(
    "questions.jsonl",
    lines(
      pairs.map(([parent, child], label) => ({
        prompt: `the young of a ${parent} is a`,
        choices,
        label,
        answer: ` ${child}`,
      })),
    ),
  );
  await space.write("t5.align", pipeline);
  events = await space.events("t5.align");
});
afterAll(() => space.remove());

const metrics = (node: string) =>
  events.find((event) => event.type === "task-finished" && event.node === node)?.metrics as Record<
    string,
    number
  >;

test("it knows from its prose alone which young belongs to whom; guessing is right in one of six", () => {
  expect(events.filter(({ type }) => type === "task-failed")).toEqual([]);
  expect(metrics("known").chance).toBeCloseTo(1 / 6, 6);
  expect(metrics("known").accuracy).toBe(1);
});

test("tuned, it says so and ends there", async () => {
  const { stdout } = await space.align("show", "t5.align", "said", "--json", "--samples", "6");
  const { samples } = JSON.parse(stdout) as { samples: { responses: string[] }[] };
  expect(samples.map(({ responses }) => responses)).toEqual(
    Object.values(young).map((child) => [` ${child}`]),
  );
  expect(metrics("exact").exact_match).toBe(1);
});

test("more steps of adaptation leave the first part as it was", async () => {
  const again = await space.events("t5.align", "--only", "base", "--set", "recipe_steps=3");
  const started = again.filter(({ type }) => type === "task-started").map(({ node }) => node);
  expect(started).toEqual(["base"]);
});
