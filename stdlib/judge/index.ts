// Declares `judge`: a judge scores every response to every prompt.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { rubricProblems, verdictParams } from "./verdict-params.ts";

export { type Judge, type JudgeRequest, openJudge, type Score } from "./judges.ts";

export const judge = defineStage(
  {
    name: "judge",
    version: 2,
    doc: "Scores each response with a judge; adds the column `scores`, and `rationales` where the judge gives them. An assistant is asked with a rubric, for each response or for every two of them in both orders.",
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
      compare: Type.Enum(["none", "pairs"], {
        type: "string",
        default: "none",
        description:
          "pairs: an assistant sees every two responses side by side, in both orders; a score is the share of the others that a response beats, and two orders that disagree are a tie.",
        "x-source": "single answers, as UltraFeedback; pairs as Zheng et al. 2023 §3.1",
      }),
      reference: Type.Optional(
        Type.String({
          minLength: 1,
          description:
            "The column with a right answer, which an assistant compares with (Zheng et al. 2023 §3.4).",
        }),
      ),
      ...verdictParams,
    }),
    check: rubricProblems,
    rowwise: "data",
    output: ({ row }) =>
      dataset({ name: "Rated", columns: { ...row?.columns, ...rated(row?.columns.prompt) } }),
    metrics: {
      mean_score: "mean score of all responses",
      min_score: "lowest score",
      max_score: "highest score",
      rows: "prompts",
      responses: "responses scored",
      malformed: "verdicts of an assistant that could not be read; their scores are null",
    },
  },
  () => import("./run.ts").then((m) => m.judge),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function rated(prompt: "string" | "number" | "boolean" | "messages" | "list" | "any" = "any") {
  return { prompt, responses: "list", scores: "list" } as const;
}
