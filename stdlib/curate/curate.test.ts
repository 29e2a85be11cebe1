import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { columnsOf, datasetOf, rowsIn, runWith } from "../testing.ts";
import { endsWhole, pointsElsewhere, speaksOfItself, withoutHtml } from "./checks.ts";
import { curate } from "./index.ts";
import { nearDuplicates } from "./minhash.ts";
import { stratified } from "./stratify.ts";

test.each([
  ["I would boil it.", true],
  ["In my view it holds.", true],
  ["i think so", true],
  ["I'm sure.", true],
  ["Use it, i.e. do so.", false],
  ["Ask Mia about the mime.", false],
  ["Write `for (i = 0; …)` there.", false],
  ["```\ni = my\n``` is code.", false],
])("%j speaks of itself: %s", (text, expected) => {
  expect(speaksOfItself(text)).toBe(expected);
});

test.each([
  ["As mentioned above, boil it.", true],
  ["The accepted answer is right.", true],
  ["See the answer below.", true],
  ["@ben has it.", true],
  ["Ask on Stack Exchange.", true],
  ["Write to ada@example.org.", false],
  ["`@decorator` marks it.", false],
  ["The answer is 42.", false],
])("%j points at other answers: %s", (text, expected) => {
  expect(pointsElsewhere(text)).toBe(expected);
});

test("a text is whole at the end of a sentence, a list or code", () => {
  for (const text of ["Done.", "Really?", "- one\n- two", "1. a\n2. b", "```\ncode\n```", 'He said "yes."'])
    expect(endsWhole(text)).toBe(true);
  for (const text of ["the capital of", "and then"]) expect(endsWhole(text)).toBe(false);
});

test("tags, links and pictures go; code and lists stay", () => {
  expect(
    withoutHtml(
      '<p>See <a href="x">the docs</a> <img src="y"> or [this](z):</p><pre><code>a &lt; b</code></pre><ul><li>one</li></ul>',
    ),
  ).toBe("See the docs  or this:<pre><code>a &lt; b</code></pre><ul><li>one</li></ul>");
});

describe("near duplicates", () => {
  const words = (n: number, from = 0) => Array.from({ length: n }, (_, i) => `w${from + i}`).join(" ");

  test("one changed word of a hundred is one; half another text is not", () => {
    const isNear = nearDuplicates(0.8);
    expect(isNear(words(100))).toBe(false);
    // 96 pieces; the last word is in one of them: 95 shared of 97 → 0.98.
    expect(isNear(`${words(99)} other`)).toBe(true);
    // 46 of 96 + 96 − 46 = 146 pieces are shared: 0.32.
    expect(isNear(words(100, 50))).toBe(false);
  });

  test("case and marks do not count, short texts only when they are the same", () => {
    const isNear = nearDuplicates(0.8);
    expect([isNear("Yes, do it!"), isNear("yes do it"), isNear("yes do that")]).toEqual([false, true, false]);
  });
});

describe("stratified by temperature", () => {
  // 1000 rows of a, 8 of b: with τ = 3 their weights are 10 and 2.
  const strata = [...Array(1000).fill("a"), ...Array(8).fill("b")] as string[];
  const draw = (temperature: number, seed: number) =>
    stratified(strata, 6, { temperature, random: stream(seed), rank: () => 0 }).filter((at) => at >= 1000)
      .length;
  const share = (temperature: number) =>
    Array.from({ length: 400 }, (_, seed) => draw(temperature, seed)).reduce((a, b) => a + b) / 2400;

  test("a stratum of n rows comes with probability ∝ n^(1/τ)", () => {
    // 2 / 12 = 0.167 ± 4 · sqrt(0.167 · 0.833 / 2400) = 0.03
    expect(Math.abs(share(3) - 1 / 6)).toBeLessThan(0.03);
    expect(share(1)).toBeLessThan(0.03);
  });

  test("of a stratum the best come first, and none twice", () => {
    const random = stream(1);
    const all = stratified(["a", "a", "a", "b"], 9, { temperature: 1, random, rank: (x, y) => y - x });
    expect(all).toEqual([0, 1, 2, 3]);
    expect(stratified(["a", "a", "a"], 2, { temperature: 1, random, rank: (x, y) => y - x })).toEqual([1, 2]);
  });
});

const good = (i: number, score = 12): RowData => ({
  prompt: `how to cook dish number ${i} ?`,
  completion: `Boil ${i} litres, add ${i} spoons of salt and wait for ${i} minutes until dish ${i} is soft.`,
  score,
  topic: i % 2 === 0 ? "even" : "odd",
});

test("every row left out has its reason, in the report, in the metrics and in a file", async () => {
  const data = await datasetOf([
    good(1),
    good(2),
    good(3, 9),
    { ...good(4), completion: "Short." },
    { ...good(5), completion: `In my kitchen that works well, and ${"so ".repeat(20)}.` },
    { ...good(6), completion: `As mentioned by others, boil it ${"well ".repeat(20)}.` },
    { ...good(7), completion: `Boil it, and then take the pot and ${"stir and ".repeat(10)}` },
    { ...good(1), score: 20 },
    good(9, 30),
    good(11, 10),
  ]);
  const params = { min_score: 10, min_length: 20, whole_sentences: true, strata: "topic", sample: 3 };
  const { metrics, summary, dir } = await runWith(curate, params, { inputs: { data } });
  expect(metrics).toMatchObject({
    rows: 3,
    dropped: 7,
    dropped_score: 1,
    dropped_length: 1,
    dropped_first_person: 1,
    dropped_references: 1,
    dropped_ending: 1,
    dropped_duplicates: 1,
    dropped_sample: 1,
  });
  expect(await rowsIn(dir)).toHaveLength(3);
  expect(summary).toMatch(/^ +left out +left +for example\nall +10\nscore too low +1 +9 +Boil 3 litres/);
  const left = (await readFile(join(dir, "dropped.jsonl"), "utf8"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).reason);
  expect(left).toEqual(["score", "length", "first_person", "references", "ending", "duplicates", "sample"]);
});

test("what is missing is said before anything runs", () => {
  const row = { columns: { prompt: "string", completion: "string" } } as const;
  expect(columnsOf(curate, { row, params: { min_score: 10 } })).toBe("the rows have no column `score`");
  expect(
    curate.validate({
      strata: "topic",
      first_person: false,
      references: false,
      strip_html: false,
      whole_sentences: false,
      near_duplicates: 0.8,
      temperature: 3,
      seed: 1,
    }),
  ).toMatchObject([{ param: "strata" }]);
});
