// Declares `pretrain`: next-token training of a model on plain text.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { dropoutParams, inLessMemory, trainingParams, withoutEffect } from "../training/params.ts";

export const pretrain = defineStage(
  {
    name: "pretrain",
    version: 2,
    doc: "Trains a causal model to predict the next token of text; documents are packed end to end with an end-of-text token between them.",
    inputs: [
      {
        name: "model",
        type: { kind: "model" },
        doc: "The model to start from: fresh (`decoder`) or trained.",
      },
      { name: "data", type: dataset(rows.Text), doc: "The text." },
      {
        name: "eval",
        type: dataset(rows.Text),
        optional: true,
        doc: "Held-out text; its loss is `eval_loss`.",
      },
    ],
    params: Type.Object({
      ...trainingParams({
        learning_rate: 3e-4,
        schedule: "cosine",
        warmup: 0.02,
        batch_size: 32,
        epochs: 1,
        weight_decay: 0.1,
        adam_beta2: 0.95,
        source: "Brown et al. 2020 (GPT-3) App. B; Touvron et al. 2023 (Llama) §2.3",
      }),
      ...dropoutParams(),
      sequence_length: Type.Optional(
        Type.Integer({
          minimum: 8,
          description: "Tokens per packed sequence; the model's max_length unless given.",
          "x-unit": "tokens",
        }),
      ),
    }),
    check: withoutEffect,
    output: { kind: "model" },
    metrics: {
      loss: "mean training loss of the last tenth of the steps, nats per token",
      eval_loss: "mean loss on the `eval` text after training, nats per token",
      steps: "optimiser steps",
      tokens: "tokens trained on",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.pretrain),
  () => import("./estimate.ts").then((m) => m.estimate),
);
