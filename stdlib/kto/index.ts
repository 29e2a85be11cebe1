// Declares `kto`, which learns from single answers that are good or bad, and `unpair`, which makes such rows of preferences.
import Type from "typebox";
import { defineStage, defineTransform } from "../../engine/index.ts";
import { type ColumnType, dataset, rows } from "../../grammar/index.ts";
import { inLessMemory, loraParams, trainingParams, withoutEffect } from "../training/params.ts";

const unpaired = (prompt: ColumnType, completion: ColumnType) =>
  dataset({ name: "Unpaired", columns: { prompt, completion, label: "boolean" } });

const weight = (which: string) =>
  Type.Number({
    minimum: 0,
    default: 1,
    description: `Weight of the losses of ${which} answers; the paper wants n·weight of both kinds within 1 to 4/3 of each other.`,
    "x-source": "Ethayarajh et al. 2024 §4.1; TRL",
  });

export const kto = defineStage(
  {
    name: "kto",
    version: 2,
    doc: "Kahneman-Tversky optimisation (Ethayarajh et al. 2024): raises answers that are labelled true and lowers the others, each against the KL of the policy from its reference. No pairs are needed.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The policy to start from." },
      { name: "data", type: unpaired("any", "any"), doc: "Answers with a label: true is desirable." },
      {
        name: "reference",
        type: { kind: "model" },
        optional: true,
        doc: "The frozen reference; the starting policy unless given.",
      },
      {
        name: "eval",
        type: unpaired("any", "any"),
        optional: true,
        doc: "Held-out answers; their loss and accuracy are `eval_loss` and `eval_accuracy`.",
      },
    ],
    params: Type.Object({
      beta: Type.Number({
        exclusiveMinimum: 0,
        default: 0.1,
        description: "Strength of the pull to the reference.",
        "x-usual": [1e-3, 10],
        "x-source": "Ethayarajh et al. 2024 §4.1; TRL",
      }),
      desirable_weight: weight("desirable"),
      undesirable_weight: weight("undesirable"),
      ...trainingParams({
        learning_rate: 5e-7,
        schedule: "linear",
        warmup: 0.1,
        batch_size: 32,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.999,
        selects: ["eval_loss", "eval_accuracy"],
        source: "Ethayarajh et al. 2024 App. C (lr 5e-7, batch 32)",
      }),
      ...loraParams(),
      max_length: Type.Optional(
        Type.Integer({
          minimum: 8,
          description: "Longer prompt + answer is cut; the model's max_length unless given.",
          "x-unit": "tokens",
        }),
      ),
    }),
    check: (p, given) => withoutEffect(p, given),
    output: { kind: "model" },
    metrics: {
      loss: "mean loss of the last tenth of the steps, per answer",
      first_loss: "loss at step 0; ½ with weights of 1",
      accuracy:
        "share of answers whose implicit reward is on the right side of the KL: above for desirable ones, below for others; last tenth of the steps",
      desirable_reward:
        "mean implicit reward β (log π − log π_ref) of desirable answers, last tenth of the steps",
      undesirable_reward: "the same of the others",
      kl: "KL of the policy from its reference as the loss has it, estimated from answers beside foreign prompts, last tenth, nats",
      eval_loss: "mean loss on the `eval` answers after training",
      eval_accuracy: "accuracy on the `eval` answers after training",
      steps: "optimiser steps",
      best_step: "the step whose weights were kept, with `select_by`",
      answers: "answers trained on",
      desirable: "how many of them are desirable",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.kto),
  () => import("./estimate.ts").then((m) => m.estimate),
);

export const unpair = defineTransform(
  {
    name: "unpair",
    version: 1,
    doc: "Preferences as single answers: two rows of each, the chosen one with label true and the rejected one with label false.",
    inputs: [{ name: "rows", type: dataset(rows.Preference), doc: "The rows before the pipe." }],
    params: Type.Object({}),
    output: ({ row }) => unpaired(row?.columns.prompt ?? "any", row?.columns.chosen ?? "any"),
  },
  () => import("./run.ts").then((m) => m.unpair),
  () => import("./estimate.ts").then((m) => m.unpaired),
);
