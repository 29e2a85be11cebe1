import { expect, test } from "vitest";
import { columnsOf, transformWith } from "../../testing.ts";
import { fromAlpacaEval, fromFastChat } from "./index.ts";

test("AlpacaEval's outputs are responses of one", async () => {
  const rows = [{ instruction: "Why?", output: "Because.", generator: "gpt4", dataset: "koala" }];
  expect(await transformWith(fromAlpacaEval, rows)).toEqual([
    { prompt: "Why?", responses: ["Because."], generator: "gpt4" },
  ]);
});

test("its annotations are duels of output_2 against output_1, weighted or not; without a preference there is no verdict", async () => {
  const of = async (preference: number | null) =>
    (
      await transformWith(fromAlpacaEval, [
        {
          instruction: "Why?",
          output_1: "base",
          output_2: "new",
          preference,
          annotator: "weighted_alpaca_eval_gpt4_turbo",
        },
      ])
    )[0];
  expect(await of(1.75)).toEqual({
    prompt: "Why?",
    response: "new",
    baseline: "base",
    points: 0.75,
    orders: null,
    judge: "weighted_alpaca_eval_gpt4_turbo",
  });
  expect((await of(1))!.points).toBe(0);
  expect((await of(0))!.points).toBe(0.5);
  expect((await of(null))!.points).toBe(null);
  const columns = {
    instruction: "string",
    output_1: "string",
    output_2: "string",
    preference: "number",
  } as const;
  expect(columnsOf(fromAlpacaEval, { row: { columns } })).toHaveProperty("points");
});

test("FastChat's questions, answers and judgments", async () => {
  const rows = [
    { question_id: 101, category: "reasoning", turns: ["Race?", "And then?"], reference: ["Second.", "No."] },
    { question_id: 101, model_id: "vicuna", choices: [{ index: 0, turns: ["Third.", "Yes."] }], tstamp: 1 },
    {
      question_id: 101,
      model: "vicuna",
      judge: ["gpt-4", "single-v1"],
      judgment: "[[3]]",
      score: 3,
      turn: 1,
    },
    { question_id: 101, model: "vicuna", judge: ["gpt-4", "single-v1"], judgment: "?", score: -1, turn: 2 },
    {
      question_id: 101,
      model_1: "vicuna",
      model_2: "alpaca",
      g1_winner: "model_1",
      g2_winner: "tie",
      judge: ["gpt-4", "pair-v2"],
      turn: 1,
    },
  ];
  expect(await transformWith(fromFastChat, rows as never)).toEqual([
    {
      question_id: "101",
      category: "reasoning",
      prompt: "Race?",
      turns: ["Race?", "And then?"],
      references: ["Second.", "No."],
    },
    { question_id: "101", model: "vicuna", responses: ["Third."], answers: ["Third.", "Yes."] },
    { question_id: "101", model: "vicuna", judge: "gpt-4", turn: 1, score: 3, judgment: "[[3]]" },
    { question_id: "101", model: "vicuna", judge: "gpt-4", turn: 2, score: null, judgment: "?" },
    // Won and tie disagree: a tie.
    {
      question_id: "101",
      model: "vicuna",
      baseline_model: "alpaca",
      judge: "gpt-4",
      turn: 1,
      orders: ["a", "tie"],
      points: 0.5,
    },
  ]);
});

test("what is neither says which row", async () => {
  await expect(transformWith(fromAlpacaEval, [{ instruction: "x" }])).rejects.toThrow(
    "row 1: there is neither",
  );
  await expect(transformWith(fromFastChat, [{ question_id: 1, turns: "x" }])).rejects.toThrow(
    "row 1: `turns`",
  );
});
