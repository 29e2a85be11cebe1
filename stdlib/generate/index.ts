// Declares `generate`: samples responses of one or several models to prompts.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";

/** Shared with `compare` and the `chat` command. */
export const samplingParams = {
  temperature: Type.Number({
    minimum: 0,
    default: 1,
    description: "0 is greedy.",
    "x-source": "the model's own distribution, as DPO §6.1 samples",
  }),
  top_k: Type.Integer({
    minimum: 0,
    default: 0,
    description: "Keep only the k likeliest tokens; 0 keeps all.",
    "x-source": "off, as in DPO §6.1",
  }),
  top_p: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: 1,
    description: "Keep the likeliest tokens that hold this much probability.",
    "x-unit": "fraction",
    "x-source": "off, as in DPO §6.1",
  }),
  min_p: Type.Number({
    minimum: 0,
    exclusiveMaximum: 1,
    default: 0,
    description: "Keep only tokens at least this share as likely as the likeliest; 0 keeps all.",
    "x-unit": "fraction",
    "x-source": "off in transformers",
  }),
  repetition_penalty: Type.Number({
    exclusiveMinimum: 0,
    default: 1,
    description:
      "Logits of tokens already seen are divided by this, multiplied if negative (Keskar et al. 2019); 1 is off.",
    "x-source": "off in transformers; LIMA 1.2",
  }),
  stop: Type.Array(Type.String({ minLength: 1 }), {
    default: [],
    description: "Texts that end a response; they are not part of it.",
    "x-source": "none, as OpenAI's completions",
  }),
  max_new_tokens: Type.Integer({
    "x-rehearse": { most: 8 },
    minimum: 1,
    default: 64,
    description: "Longest response.",
    "x-unit": "tokens",
    "x-source": "TRL OnlineDPO",
  }),
  seed: Type.Integer({
    minimum: 0,
    default: 42,
    description: "Every row has a stream of its own under it.",
    "x-source": "alignment-handbook",
  }),
};

export const generate = defineStage(
  {
    name: "generate",
    version: 1,
    doc: "Samples responses of one or several models to each prompt.",
    inputs: [
      {
        name: "models",
        type: { kind: "responder" },
        variadic: true,
        doc: "One model or assistant, or a list.",
      },
      { name: "prompts", type: dataset(rows.Prompt), doc: "The prompts." },
    ],
    rowwise: "prompts",
    params: Type.Object({
      samples: Type.Integer({
        "x-rehearse": { most: 2 },
        minimum: 1,
        default: 4,
        description: "Responses of each model to each prompt.",
        "x-source": "Rafailov et al. 2023 App. C.1: four per prefix",
      }),
      ...samplingParams,
    }),
    output: dataset({ ...rows.Response, columns: { prompt: "string", responses: "list", models: "list" } }),
    metrics: {
      prompts: "number of prompts",
      responses: "number of responses",
      mean_length: "mean response length, tokens",
      ended: "share of responses that ended by themselves",
    },
    numeric: true,
    heavy: true,
  },
  () => import("./run.ts").then((m) => m.generate),
  () => import("./estimate.ts").then((m) => m.estimate),
);
