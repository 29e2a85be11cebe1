// Declares `sft`: supervised fine-tuning on demonstrations, loss on the completions only.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset, type TypeProblem } from "../../grammar/index.ts";
import {
  dropoutParams,
  inLessMemory,
  loraParams,
  trainingParams,
  withoutEffect,
} from "../training/params.ts";

export const sft = defineStage(
  {
    name: "sft",
    version: 2,
    doc: "Supervised fine-tuning: cross-entropy on the completion (or the assistant's turns) given the prompt.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The model to start from." },
      {
        name: "data",
        type: dataset({ name: "Instruction or Chat or Text", columns: {} }),
        doc: "Demonstrations.",
      },
      {
        name: "eval",
        type: dataset({ name: "Instruction or Chat or Text", columns: {} }),
        optional: true,
        doc: "Held-out demonstrations; their loss is `eval_loss`.",
      },
    ],
    params: Type.Object({
      ...trainingParams({
        learning_rate: 2e-5,
        schedule: "cosine",
        warmup: 0.1,
        batch_size: 32,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.999,
        source:
          "Tunstall et al. 2023 (Zephyr) §4.1 and alignment-handbook; batch 32 of Ouyang et al. 2022 App. C.1",
      }),
      ...dropoutParams(),
      ...loraParams(),
      packing: Type.Boolean({
        default: false,
        description:
          "Fits several examples into a row of max_length; each sees itself alone. batch_size then counts rows.",
        "x-source": "off in TRL; on in Tunstall et al. 2023 §4.1",
      }),
      template: Type.Optional(
        Type.Unknown({ "x-align": "template", description: "How a row becomes prompt and completion." }),
      ),
      max_length: Type.Optional(
        Type.Integer({
          minimum: 8,
          description: "Longer examples are cut; the model's max_length unless given.",
          "x-unit": "tokens",
        }),
      ),
    }),
    check: withoutEffect,
    output: output,
    metrics: {
      loss: "mean training loss of the last tenth of the steps, nats per supervised token",
      eval_loss: "mean loss on the `eval` demonstrations after training, nats per supervised token",
      steps: "optimiser steps",
      best_step: "the step whose weights were kept, with `select_by`",
      tokens: "supervised tokens trained on",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.sft),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function output({ row, params }: CallFacts): AlignType | TypeProblem {
  const has = (...columns: string[]) => columns.every((column) => row && column in row.columns);
  if (row && !params.template && !has("prompt", "completion") && !has("messages") && !has("text")) {
    return {
      at: "data",
      message: "sft needs demonstrations: prompt and completion, or messages, or text",
      help: "name the columns with `|> select(prompt: …, completion: …)`, or give a `template`",
    };
  }
  return { kind: "model" };
}
