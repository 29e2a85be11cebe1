// Reads AlpacaEval's and FastChat's rows: what is a text there is one here, what is a verdict becomes points and orders.
import { type RowData, type Rows, TaskError, type TransformRun } from "../../../engine/index.ts";
import type { Json } from "../../../grammar/index.ts";
import { pointsOf, type Side } from "../../judge/pairs.ts";

function each(change: (row: RowData, wrong: (what: string) => TaskError) => RowData): TransformRun {
  return {
    async *transform(rows): Rows {
      let number = 0;
      for await (const row of rows) {
        number++;
        const where = number;
        yield change(
          row,
          (message) => new TaskError({ code: "wrong-column", message: `row ${where}: ${message}` }),
        );
      }
    },
  };
}

const text = (value: Json | undefined): string | undefined => (typeof value === "string" ? value : undefined);

export const fromAlpacaEval = each((row, wrong) => {
  const { instruction, output, generator, output_1, output_2, preference, annotator } = row;
  if (typeof instruction !== "string") throw wrong("`instruction` is not a text");
  if (typeof output === "string")
    return { prompt: instruction, responses: [output], generator: text(generator) ?? "" };
  if (typeof output_1 !== "string" || typeof output_2 !== "string")
    throw wrong("there is neither `output` nor `output_1` and `output_2`");
  // 1 prefers output_1, 2 output_2, 1.5 neither; weighted annotators give what is between; older files say 0 for a draw.
  const points =
    typeof preference !== "number" ? null : preference === 0 ? 0.5 : Math.min(1, Math.max(0, preference - 1));
  return {
    prompt: instruction,
    response: output_2,
    baseline: output_1,
    points,
    orders: null,
    judge: text(annotator) ?? "",
  };
});

export const fromFastChat = each((row, wrong) => {
  const question_id = String(row.question_id);
  if (Array.isArray(row.choices)) {
    const turns = row.choices.map((choice) => (choice as { turns?: Json } | null)?.turns);
    if (
      !turns.every(
        (list): list is string[] => Array.isArray(list) && list.every((t) => typeof t === "string"),
      )
    )
      throw wrong("a choice has no list of texts as its `turns`");
    // The first turn's answers; all turns of the first choice.
    return {
      question_id,
      model: text(row.model_id) ?? "",
      responses: turns.map((list) => list[0] ?? ""),
      answers: turns[0] ?? [],
    };
  }
  const about = { question_id, turn: typeof row.turn === "number" ? row.turn : 1, judge: judgeOf(row.judge) };
  if ("g1_winner" in row) {
    const orders = [sideOf(row.g1_winner), sideOf(row.g2_winner)] as const;
    return {
      ...about,
      model: text(row.model_1) ?? "",
      baseline_model: text(row.model_2) ?? "",
      orders,
      points: pointsOf(orders),
    };
  }
  if ("score" in row) {
    // −1 where FastChat found no score in the judgment.
    const score = typeof row.score === "number" && row.score >= 0 ? row.score : null;
    return { ...about, model: text(row.model) ?? "", score, judgment: text(row.judgment) ?? "" };
  }
  const { turns, category, reference } = row;
  if (!Array.isArray(turns) || typeof turns[0] !== "string") throw wrong("`turns` is not a list of texts");
  return {
    question_id,
    category: text(category) ?? "",
    prompt: turns[0],
    turns,
    references: Array.isArray(reference) ? reference : [],
  };
});

/** FastChat writes the judge as its name and the name of its prompt. */
function judgeOf(judge: Json | undefined): string {
  return typeof judge === "string" ? judge : Array.isArray(judge) ? String(judge[0]) : "";
}

/** Winners are named by model in both games, whoever was shown first. */
function sideOf(winner: Json | undefined): Side {
  return winner === "model_1" ? "a" : winner === "model_2" ? "b" : winner === "tie" ? "tie" : null;
}
