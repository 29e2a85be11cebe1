import { describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { openJudge } from "../judge/index.ts";
import { readWith, runWith } from "../testing.ts";
import { worldJudge, worldLists, worldPool, worldProse, worldTasks } from "./index.ts";
import { kinds, things } from "./lexicon.ts";
import { questions } from "./questions.ts";
import { families, familyNames } from "./tasks/index.ts";

const tasks = (names: readonly string[], rows: number, seed = 1) =>
  readWith(worldTasks, [], { names, rows, seed });

test("no thing is of two kinds, and every kind has eight", () => {
  expect(new Set(things).size).toBe(64);
  for (const { words } of kinds) expect(words.flat()).toHaveLength(8);
});

describe.each(familyNames)("the dataset %s", (name) => {
  test("has the answer among its different choices, and four different wordings", async () => {
    const rows = await tasks([name], 60);
    expect(rows.length).toBeGreaterThan(5);
    for (const row of rows) {
      const choices = row.choices as string[];
      expect(new Set(choices).size).toBe(choices.length);
      expect(choices[row.label as number]).toBe(row.answer);
      expect(new Set([1, 2, 3, 4].map((i) => row[`question_${i}`])).size).toBe(4);
      expect(row.dataset).toBe(name);
    }
  });

  test("does not give its answer away by the place of the choice", async () => {
    const rows = await tasks([name], 300);
    const first = rows.filter(({ label }) => label === 0).length / rows.length;
    const chance = rows.reduce((sum, { choices }) => sum + 1 / (choices as string[]).length, 0) / rows.length;
    // Small datasets are small samples: 6 standard deviations of a share, at least a tenth.
    expect(Math.abs(first - chance)).toBeLessThan(Math.max(0.1, 6 * Math.sqrt(0.25 / rows.length)));
  });
});

test("answers are computed from the text: where somebody is stands there", async () => {
  for (const row of await tasks(["where"], 50)) {
    const name = /^where is (\w+) \?$/.exec(row.question_1 as string)![1];
    expect(row.text).toContain(`${name} is in the ${row.answer} .`);
  }
});

test("more rows change none, another seed does", async () => {
  const few = await tasks(["owner", "find"], 5);
  const many = await tasks(["owner", "find"], 9);
  expect(many.filter((_, i) => i % 9 < 5)).toEqual(few);
  expect(await tasks(["owner", "find"], 5, 2)).not.toEqual(few);
});

test("18 clusters, the four of the pilot's held-out ones among them", () => {
  const clusters = new Set(Object.values(families).map(({ cluster }) => cluster));
  expect(clusters.size).toBe(18);
  for (const held of ["sentiment", "coreference", "closed_book", "common_sense"])
    expect(clusters).toContain(held);
});

test("prose has every word that a question can ask for, and never a list of options", async () => {
  const prose = (await readWith(worldProse, [], { rows: 4000, seed: 1 })).map(({ text }) => text as string);
  const words = new Set(prose.flatMap((text) => text.split(" ")));
  for (const { key, subject } of questions) {
    expect(words).toContain(key);
    expect(words).toContain(subject);
  }
  expect(prose.some((text) => /options|answer/i.test(text))).toBe(false);
});

describe("lists", () => {
  const lists = async () =>
    (await readWith(worldLists, [], { rows: 2000, seed: 1 })).map(({ text }) => text as string);

  test("half are told twice, word for word", async () => {
    const twice = (await lists()).flatMap((text) => /^(.*) again : (.*) \.$/.exec(text)?.slice(1) ?? []);
    for (let i = 0; i < twice.length; i += 2) expect(twice[i + 1]).toBe(twice[i]);
    // 1000 ± 4 · sqrt(2000 / 4) = 1000 ± 89
    expect(Math.abs(twice.length / 2 - 1000)).toBeLessThan(89);
  });

  test("of the others one word is taken, from any place alike, and none has the form of an instruction", async () => {
    const others = (await lists()).filter((text) => !text.includes(" again : "));
    const places = others.map((text) => {
      const [, most, last] = /((?:\w+ , )*\w+) or (\w+)/.exec(text)!;
      const choices = [...most!.split(" , "), last!];
      const place = choices.indexOf(text.split(" ").at(-2)!);
      expect(place).toBeGreaterThanOrEqual(0);
      return place / (choices.length - 1);
    });
    // The middle of 0 … 1 on average: 0.5 ± 4 · 0.5 / sqrt(1000) = 0.5 ± 0.063
    expect(Math.abs(places.reduce((sum, at) => sum + at, 0) / places.length - 0.5)).toBeLessThan(0.063);
    expect(others.some((text) => /options|answer/i.test(text))).toBe(false);
  });
});

describe("pools", () => {
  const pool = (params: object) => readWith(worldPool, [], { rows: 1000, seed: 3, ...params });
  const judged = async (rows: readonly RowData[]) => {
    const judge = await openJudge((await runWith(worldJudge)).dir);
    return Promise.all(
      rows.map(
        async (row) =>
          (await judge.score({ prompt: row.prompt!, response: row.completion as string, row })).score,
      ),
    );
  };

  test("quality is the share of answers with nothing wrong, which the judge gives ten, and others less", async () => {
    const rows = await pool({ quality: 0.7 });
    const good = rows.filter(({ damage }) => damage === "none");
    // 0.7 ± 4 · sqrt(0.7 · 0.3 / 1000) = 0.7 ± 0.06
    expect(Math.abs(good.length / 1000 - 0.7)).toBeLessThan(0.06);
    expect(new Set(await judged(good))).toEqual(new Set([10]));
    expect(Math.max(...(await judged(rows.filter(({ damage }) => damage !== "none"))))).toBeLessThan(10);
  });

  test("votes of ten and more keep every good answer and three of thirteen bad ones", async () => {
    const rows = await pool({ quality: 0.5 });
    const kept = rows.filter(({ score }) => (score as number) >= 10);
    expect(kept.filter(({ damage }) => damage === "none")).toHaveLength(
      rows.filter(({ damage }) => damage === "none").length,
    );
    const bad = rows.filter(({ damage }) => damage !== "none");
    // 3/13 = 0.23 ± 4 · sqrt(0.23 · 0.77 / 500) = 0.08
    expect(
      Math.abs(kept.filter(({ damage }) => damage !== "none").length / bad.length - 3 / 13),
    ).toBeLessThan(0.08);
  });

  test("diversity is the number of families", async () => {
    const count = async (n: number) =>
      new Set((await pool({ families: n })).map(({ family }) => family)).size;
    expect(await Promise.all([1, 3, 8].map(count))).toEqual([1, 3, 8]);
  });
});

describe("the judge", () => {
  test("adds what an answer does well", async () => {
    const judge = await openJudge((await runWith(worldJudge)).dir);
    const of = async (response: string) =>
      (await judge.score({ prompt: "ada asks : what is the capital of norland ?", response, row: {} })).score;
    expect(await of(" the capital of norland is velm .")).toBe(10);
    expect(await of(" the capital of norland is marn .")).toBe(4); // whole 2, form 2
    expect(await of(" the capital of norland is velm")).toBe(8); // right 6, form 2
    expect(await of(" i think that my answer is velm .")).toBe(6); // right 6, whole 2, first person −2
    expect(await of(" i")).toBe(0);
  });
});
