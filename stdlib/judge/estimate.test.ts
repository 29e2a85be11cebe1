// What `align plan` says of stages that ask or judge: how many questions, how much reading.
import { expect, test } from "vitest";
import { parameterCount } from "../../tensor/index.ts";
import { tinyConfig } from "../../tensor/models/testing.ts";
import { binarize } from "../binarize/index.ts";
import { generate } from "../generate/index.ts";
import { mtBench } from "../mt-bench/index.ts";
import { datasetOf, planWith } from "../testing.ts";
import { modelFacts } from "../training/estimate.ts";
import { winRate } from "../win-rate/index.ts";
import { judge } from "./index.ts";

const assistant = { assistant: true };
/** Ten prompts with four responses each. */
const planned = { rows: 10, responses: 40 };
/** Three responses and two. */
const there = () =>
  datasetOf([
    { prompt: "a", responses: ["x", "y", "z"] },
    { prompt: "b", responses: ["x", "y"] },
  ]);

test("an assistant is asked once for each response", async () => {
  const { cost, facts } = await planWith(judge, {}, { data: planned, by: assistant });
  expect([cost, facts]).toEqual([{ questions: 40 }, planned]);
  expect((await planWith(judge, {}, { data: await there(), by: assistant })).cost).toEqual({ questions: 5 });
});

test("and with `compare: pairs` twice for every two of a prompt", async () => {
  const questions = async (data: string | typeof planned) =>
    (await planWith(judge, { compare: "pairs" }, { data, by: assistant })).cost!.questions;
  expect(await questions(planned)).toBe(10 * 6 * 2);
  expect(await questions(await there())).toBe((3 + 1) * 2);
});

test("a reward model reads every response, a word list takes nothing worth telling", async () => {
  const config = { ...tinyConfig, max_position_embeddings: 256 };
  const reads = async (responses: number) =>
    await planWith(judge, {}, { data: { rows: 10, responses }, by: modelFacts(config) });
  const { cost, note } = await reads(40);
  // Two operations for each weight and token, the table of 37 x 16 aside; beside them attention, norms and a head.
  const least = 2 * (parameterCount(config) - 37 * 16) * 40 * 128;
  expect(cost!.flops).toBeGreaterThan(least);
  expect((await reads(80)).cost!.flops! / cost!.flops!).toBeCloseTo(2, 0);
  expect(note).toBe("as if every response had 128 tokens with its prompt");
  expect(await planWith(judge, {}, { data: planned, by: {} })).toEqual({ facts: planned });
});

test("what is not known yet is said where it matters", async () => {
  const { note } = await planWith(judge, {}, { data: {}, by: assistant });
  expect(note).toBe("how many responses data will have is not known yet");
  expect(await planWith(judge, {}, { data: {}, by: {} })).toEqual({});
});

test("pairs are as many as there may be, so that what learns from them can be estimated", async () => {
  const rows = async (pairs: string) => (await planWith(binarize, { pairs }, { data: planned })).facts!.rows;
  expect([await rows("best_vs_random"), await rows("all")]).toEqual([10, 60]);
});

test("an assistant that responds is asked for each sample", async () => {
  const { cost, facts } = await planWith(
    generate,
    { samples: 4 },
    { models: assistant, prompts: { rows: 10 } },
  );
  expect([cost, facts]).toEqual([{ questions: 40 }, planned]);
});

test("a duel is two questions, and only prompts of both sides are duels", async () => {
  const given = { responses: { rows: 10 }, baseline: { rows: 8 }, judge: assistant };
  expect((await planWith(winRate, {}, given)).cost).toEqual({ questions: 16 });
  expect(await planWith(winRate, {}, { ...given, judge: {} })).toEqual({});
});

test("mt_bench asks for every turn and for its rating", async () => {
  const given = { model: assistant, questions: { rows: 80 }, judge: assistant };
  expect((await planWith(mtBench, {}, given)).cost).toEqual({ questions: 80 * 2 * 2 });
  const questions = await datasetOf([{ prompt: "a", category: "math", turns: ["a", "b", "c"] }]);
  expect((await planWith(mtBench, {}, { ...given, questions })).cost).toEqual({ questions: 6 });
});
