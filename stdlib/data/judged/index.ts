// Declares the transforms that read what AlpacaEval and FastChat leave: outputs, annotations, questions, answers and judgments.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import { dataset, type Row } from "../../../grammar/index.ts";

const none = Type.Object({});

export const fromAlpacaEval = defineTransform(
  {
    name: "from_alpaca_eval",
    version: 1,
    doc: "AlpacaEval's model outputs as responses (a frozen baseline for `win_rate`), or its annotations as duels: output_2 against output_1, which is its baseline.",
    inputs: [
      {
        name: "rows",
        type: dataset({ columns: { instruction: "string" } }),
        doc: "The rows of a JSON file of AlpacaEval's: outputs, or annotations with a `preference`.",
      },
    ],
    params: none,
    output: ({ row }) => {
      if (row && "preference" in row.columns) return dataset(duels);
      return dataset({
        name: "Response",
        columns: { prompt: "string", responses: "list", generator: "string" },
      });
    },
  },
  () => import("./run.ts").then((m) => m.fromAlpacaEval),
);

const duels: Row = {
  name: "Duels",
  columns: {
    prompt: "string",
    response: "string",
    baseline: "string",
    points: "any",
    orders: "any",
    judge: "string",
  },
};

export const fromFastChat = defineTransform(
  {
    name: "from_fastchat",
    version: 1,
    doc: "FastChat's files of MT-Bench: questions as prompts with their turns, answers as responses, judgments with one score or two winners.",
    inputs: [
      {
        name: "rows",
        type: dataset({ columns: { question_id: "any" } }),
        doc: "The rows of question.jsonl, of a file of model_answer, or of model_judgment.",
      },
    ],
    params: none,
    output: ({ row }) => {
      const columns = row?.columns ?? {};
      const own = { question_id: "string", turn: "number", judge: "string" } as const;
      if ("choices" in columns)
        return dataset({
          columns: { question_id: "string", model: "string", responses: "list", answers: "list" },
        });
      if ("g1_winner" in columns)
        return dataset({
          columns: { ...own, model: "string", baseline_model: "string", points: "any", orders: "any" },
        });
      if ("score" in columns)
        return dataset({ columns: { ...own, model: "string", score: "any", judgment: "string" } });
      return dataset({
        name: "Questions",
        columns: {
          question_id: "string",
          category: "string",
          prompt: "string",
          turns: "list",
          references: "list",
        },
      });
    },
  },
  () => import("./run.ts").then((m) => m.fromFastChat),
);
