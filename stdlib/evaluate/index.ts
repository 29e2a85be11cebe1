// Declares `evaluate`: free-text answers against references, and the held-out language-model loss.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset, type TypeProblem } from "../../grammar/index.ts";
import { intervalParams } from "../classify/index.ts";
import { metricNames } from "./metrics.ts";

export const evaluate = defineStage(
  {
    name: "evaluate",
    version: 2,
    doc: "Answers prompts and compares the answers with references: exact match, F1, ROUGE and BLEU; and the loss of the references themselves. Intervals are a bootstrap over rows.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The model in question." },
      {
        name: "data",
        type: dataset({ name: "Instruction or Text", columns: {} }),
        doc: "Rows with `prompt` and `completion`, or `references` of which any will do; or `text`, of which only the loss is taken.",
      },
    ],
    params: Type.Object({
      metrics: Type.Optional(
        Type.Array(Type.Enum([...metricNames], { type: "string" }), {
          minItems: 1,
          description: "What is measured; everything that the rows allow, unless given.",
        }),
      ),
      max_new_tokens: Type.Integer({
        "x-rehearse": { most: 8 },
        minimum: 1,
        default: 64,
        description: "Longest answer.",
        "x-unit": "tokens",
        "x-source": "TRL OnlineDPO",
      }),
      temperature: Type.Number({
        minimum: 0,
        default: 0,
        description: "0 is greedy.",
        "x-source": "lm-evaluation-harness: do_sample false",
      }),
      until: Type.Array(Type.String({ minLength: 1 }), {
        default: ["\n\n"],
        description: "Answers end before the first of these.",
        "x-source": "lm-evaluation-harness: fewshot_delimiter",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Draws answers, where the temperature is not 0, and resamples.",
        "x-source": "alignment-handbook",
      }),
      ...intervalParams,
      show: Type.Integer({
        minimum: 0,
        default: 5,
        description: "Rows shown with their answers in the summary.",
        "x-source": "fits one screen",
      }),
    }),
    output: output,
    metrics: {
      exact_match: "share of answers that are a reference, after SQuAD's normalisation",
      exact_match_low: "lower end of its interval",
      exact_match_high: "upper end of its interval",
      f1: "overlap of words with the best reference, as SQuAD has it",
      f1_low: "lower end of its interval",
      f1_high: "upper end of its interval",
      rouge1: "F-measure of shared words",
      rouge2: "F-measure of shared pairs of words",
      rougeL: "F-measure of the longest common subsequence",
      rougeL_low: "lower end of its interval",
      rougeL_high: "upper end of its interval",
      bleu: "corpus BLEU, 0 to 100, as sacrebleu computes it",
      bleu_low: "lower end of its interval",
      bleu_high: "upper end of its interval",
      loss: "mean negative log-likelihood of the references, nats per token",
      perplexity: "exp(loss)",
      bits_per_byte: "the same per byte of the texts, in bits",
      rows: "number of rows",
    },
    numeric: true,
    heavy: true,
  },
  () => import("./run.ts").then((m) => m.evaluate),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function output({ row }: CallFacts): AlignType | TypeProblem {
  const has = (column: string) => row !== undefined && Object.hasOwn(row.columns, column);
  if (row && !has("text") && !(has("prompt") && (has("completion") || has("references")))) {
    return {
      at: "data",
      message: "evaluate needs prompts with what they should be answered with, or texts",
      help: "name the columns with `|> select(prompt: …, completion: …)`",
    };
  }
  return { kind: "metrics", fields: {} };
}
