// Which rows may measure a model: those apart from what trained it, through every declaration between.
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { testHost, testLibrary } from "./testing.ts";

const around = `pipeline p
dataset book = text("book.txt")
dataset train = book |> split(part: train)
dataset rest = book |> split(part: held_out)
stage bpe = tokenizer(train)
model tiny = decoder(bpe)
model cheer = lexicon("npm:words")
stage base = pretrain(tiny, train)
`;
const found = (text: string): string[] =>
  check({ path: "x", text: around + text }, testLibrary, testHost)
    .diagnostics.filter((d) => d.code !== "AL0502")
    .map((d) => `${d.code}: ${d.title}`);

describe("measuring on rows seen in training", () => {
  test("parts of a split are apart, and so are the first rows and those after them", () => {
    expect(
      found(`dataset asked = rest |> prefix()
dataset first = train |> prefix() |> take(10)
dataset later = train |> prefix() |> skip(10)
stage tuned = sft(base, first)
stage a = compare(tuned, base, asked)
stage other = sft(tiny, first)
stage b = compare(other, tiny, later)
`),
    ).toEqual([]);
  });

  test("a model is known to have seen what the model it started from was trained on", () => {
    expect(
      found(`dataset asked = train |> prefix() |> take(10)
stage tuned = sft(base, rest |> prefix() |> take(3))
stage a = compare(tuned, tiny, asked)
`),
    ).toEqual([
      "AL0701: `tuned` is trained on rows kept for measuring",
      "AL0702: `a` measures on rows that `base` was trained on",
    ]);
  });

  test("responses to prompts are made of the prompts", () => {
    expect(
      found(`dataset asked = rest |> prefix()
stage samples = generate(base, asked)
stage scored = judge(samples, by: cheer)
stage tuned = dpo(base, binarize(scored))
stage a = compare(tuned, base, asked)
`),
    ).toEqual([
      "AL0701: `tuned` is trained on rows kept for measuring",
      "AL0702: `a` measures on rows that `tuned` was trained on",
    ]);
  });
});

test("a reference with the tokenizer of the policy is no problem", () => {
  expect(
    found('dataset pairs = jsonl("pairs.jsonl")\nstage t = dpo(base, pairs, reference: tiny)\n'),
  ).toEqual([]);
});
