// Declares `pretrain`: next-token training of a model on plain text.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, type ParamProblem, rows } from "../../grammar/index.ts";
import { dropoutParams, inLessMemory, trainingParams, withoutEffect } from "../training/params.ts";

export const pretrain = defineStage(
  {
    name: "pretrain",
    version: 2,
    doc: "Trains a model on plain text: a causal one to predict the next token, an encoder-decoder to fill in what is missing. Documents are packed end to end with an end-of-text token between them, but for `prefix_lm`.",
    inputs: [
      {
        name: "model",
        type: { kind: "model" },
        doc: "The model to start from: fresh (`decoder`, `encoder_decoder`) or trained.",
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
          description:
            "Tokens per packed sequence; the model's max_length unless given. With an encoder the tokens that it reads, 512 unless given (Raffel et al. 2019 §3.1.2).",
          "x-unit": "tokens",
        }),
      ),
      objective: Type.Optional(
        Type.Enum(["next_token", "span_corruption", "prefix_lm"], {
          type: "string",
          description:
            "What is learnt. `next_token` for causal models, and unless given; `span_corruption` for encoder-decoders, and unless given: the " +
            "spans that were dropped from the text (Raffel et al. 2019 §3.1.4); `prefix_lm`: how a text goes on after a prefix of any length (T5's LM adaptation, Lester et al. 2021 §3.1).",
          "x-options": {
            noise_density: "noise_density",
            mean_noise_span_length: "mean_noise_span_length",
          },
        }),
      ),
      noise_density: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          exclusiveMaximum: 1,
          description:
            "Share of the tokens that span_corruption drops; 15% unless given (Raffel et al. 2019 §3.3.3).",
          "x-unit": "fraction",
        }),
      ),
      mean_noise_span_length: Type.Optional(
        Type.Number({
          minimum: 1,
          description:
            "Mean length of the spans that are dropped; 3 unless given (Raffel et al. 2019 §3.3.4).",
          "x-unit": "tokens",
        }),
      ),
    }),
    check: (params, given) => [...withoutEffect(params, given), ...noiseWithoutEffect(params)],
    output: { kind: "model" },
    metrics: {
      loss: "mean training loss of the last tenth of the steps, nats per token",
      eval_loss: "mean loss on the `eval` text after training, nats per token",
      steps: "optimiser steps",
      best_step: "the step whose weights were kept, with `select_by`",
      tokens: "tokens trained on",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.pretrain),
  () => import("./estimate.ts").then((m) => m.estimate),
);

function noiseWithoutEffect(params: {
  readonly objective?: string;
  readonly noise_density?: number;
  readonly mean_noise_span_length?: number;
}): ParamProblem[] {
  const { objective = "span_corruption" } = params;
  if (objective === "span_corruption") return [];
  return (["noise_density", "mean_noise_span_length"] as const)
    .filter((param) => params[param] !== undefined)
    .map((param) => ({
      param,
      kind: "other",
      message: `has no effect with objective: ${objective}`,
      help: "leave it out, or use objective: span_corruption",
    }));
}
