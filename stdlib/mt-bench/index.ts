// Declares `mt_bench`: questions of two turns, each answer rated, by category.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset } from "../../grammar/index.ts";
import { rubricProblems, verdictParams } from "../judge/verdict-params.ts";

/** MT-Bench's areas with the temperature at which FastChat answers them (fastchat/llm_judge/common.py). */
export const categories: Readonly<Record<string, number>> = {
  writing: 0.7,
  roleplay: 0.7,
  extraction: 0,
  math: 0,
  coding: 0,
  reasoning: 0,
  stem: 0.1,
  humanities: 0.1,
};

export const mtBench = defineStage(
  {
    name: "mt_bench",
    version: 1,
    doc: "A model answers questions of two turns, the second with the first and its answer before it; a judge rates each answer. MT-Bench's procedure (Zheng et al. 2023), on its questions or your own.",
    inputs: [
      { name: "model", type: { kind: "responder" }, doc: "Who answers, by its chat template." },
      {
        name: "questions",
        type: dataset({ name: "Questions", columns: { prompt: "any", category: "string", turns: "list" } }),
        doc: "As `from_fastchat` reads them: `turns`, `category`, and `references` where there are right answers.",
      },
      { name: "judge", type: { kind: "judge" }, doc: "Who rates." },
    ],
    rowwise: "questions",
    params: Type.Object({
      max_new_tokens: Type.Integer({
        minimum: 1,
        default: 1024,
        description: "Longest answer.",
        "x-unit": "tokens",
        "x-source": "FastChat gen_model_answer.py",
      }),
      temperature: Type.Optional(
        Type.Number({
          minimum: 0,
          description:
            "Of every answer; without it the category's: 0.7 for writing and roleplay, 0.1 for stem and humanities, 0 for the others.",
          "x-source": "FastChat llm_judge/common.py",
        }),
      ),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Every question has a stream of its own under it.",
        "x-source": "alignment-handbook",
      }),
      ...verdictParams,
    }),
    check: rubricProblems,
    numeric: true,
    heavy: true,
    output: dataset({ columns: { category: "string", turns: "list", answers: "list", scores: "list" } }),
    metrics: {
      score: "mean rating of all turns",
      turn_1: "mean rating of the first turns",
      turn_2: "mean rating of the second turns",
      ...Object.fromEntries(
        Object.keys(categories).map((name) => [name, `mean rating of the questions about ${name}`]),
      ),
      questions: "number of questions",
      malformed: "verdicts that could not be read",
    },
  },
  () => import("./run.ts").then((m) => m.mtBench),
  () => import("./estimate.ts").then((m) => m.estimate),
);
