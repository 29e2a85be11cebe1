// Declares `judge`: a judge scores every response to every prompt.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";

export { type Judge, type JudgeRequest, openJudge, type Score } from "./judges.ts";

export const judge = defineStage(
  {
    name: "judge",
    version: 1,
    doc: "Scores each response with a judge; adds the column `scores`, and `rationales` where the judge gives them.",
    inputs: [
      { name: "data", type: dataset(rows.Response), doc: "Prompts with their responses." },
      { name: "by", type: { kind: "judge" }, doc: "Who judges." },
    ],
    params: Type.Object({
      score: Type.Enum(["response", "full"], {
        type: "string",
        default: "response",
        description: "What the judge reads as the response: it alone, or the prompt followed by it.",
        "x-source": "prompts differ, and their part of a score is the same for all responses to one",
      }),
    }),
    rowwise: "data",
    output: ({ row }) =>
      dataset({ name: "Rated", columns: { ...row?.columns, ...rated(row?.columns.prompt) } }),
    metrics: {
      mean_score: "mean score of all responses",
      min_score: "lowest score",
      max_score: "highest score",
      rows: "prompts",
      responses: "responses scored",
    },
  },
  () => import("./run.ts").then((m) => m.judge),
);

function rated(prompt: "string" | "number" | "boolean" | "messages" | "list" | "any" = "any") {
  return { prompt, responses: "list", scores: "list" } as const;
}
