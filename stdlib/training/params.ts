// The parameters that every training stage shares, declared once; each stage says its own defaults and where they come from.
import Type from "typebox";

export interface TrainingDefaults {
  readonly learning_rate: number;
  readonly schedule: "constant" | "linear" | "cosine";
  readonly warmup: number;
  readonly batch_size: number;
  readonly epochs: number;
  readonly weight_decay: number;
  readonly adam_beta2: number;
  /** Where these come from, one line. */
  readonly source: string;
}

const trl = "TRL and transformers TrainingArguments";

export function trainingParams(defaults: TrainingDefaults) {
  const source = { "x-source": defaults.source };
  return {
    epochs: Type.Number({
      exclusiveMinimum: 0,
      default: defaults.epochs,
      description: "Passes over the data; a fraction is allowed. `steps` wins when it is given.",
      ...source,
    }),
    steps: Type.Optional(
      Type.Integer({ minimum: 1, description: "Optimiser steps, instead of epochs.", "x-unit": "steps" }),
    ),
    batch_size: Type.Integer({
      minimum: 1,
      default: defaults.batch_size,
      description: "Examples per optimiser step.",
      "x-unit": "examples",
      ...source,
    }),
    learning_rate: Type.Number({
      exclusiveMinimum: 0,
      default: defaults.learning_rate,
      description: "Peak learning rate.",
      ...source,
    }),
    schedule: Type.Enum(["constant", "linear", "cosine"], {
      type: "string",
      default: defaults.schedule,
      description: "How the learning rate falls after the warm-up.",
      ...source,
    }),
    warmup: Type.Number({
      minimum: 0,
      maximum: 1,
      default: defaults.warmup,
      description: "Share of the steps in which the learning rate rises linearly from zero.",
      "x-unit": "fraction",
      ...source,
    }),
    final_learning_rate: Type.Number({
      minimum: 0,
      maximum: 1,
      default: 0,
      description: "Floor of the schedule, as a share of the peak (InstructGPT uses 10%).",
      "x-unit": "fraction",
      "x-source": trl,
    }),
    weight_decay: Type.Number({
      minimum: 0,
      default: defaults.weight_decay,
      description: "Decoupled weight decay of AdamW, on matrices only.",
      ...source,
    }),
    adam_beta1: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: 0.9,
      description: "Decay of the first moment.",
      "x-source": "Loshchilov & Hutter 2019; all peers",
    }),
    adam_beta2: Type.Number({
      minimum: 0,
      exclusiveMaximum: 1,
      default: defaults.adam_beta2,
      description: "Decay of the second moment.",
      ...source,
    }),
    adam_epsilon: Type.Number({
      exclusiveMinimum: 0,
      default: 1e-8,
      description: "Added to the root of the second moment.",
      "x-source": trl,
    }),
    max_grad_norm: Type.Number({
      exclusiveMinimum: 0,
      default: 1,
      description: "Gradients are scaled down to this global norm.",
      "x-source": trl,
    }),
    seed: Type.Integer({
      minimum: 0,
      default: 42,
      description: "Of the data order and of everything drawn at random.",
      "x-source": "alignment-handbook",
    }),
  };
}

/** What the training loop reads. */
export interface TrainingParams {
  readonly epochs: number;
  readonly steps?: number;
  readonly batch_size: number;
  readonly learning_rate: number;
  readonly schedule: "constant" | "linear" | "cosine";
  readonly warmup: number;
  readonly final_learning_rate: number;
  readonly weight_decay: number;
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  readonly max_grad_norm: number;
  readonly seed: number;
}
