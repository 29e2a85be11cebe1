// Declares `dpo`: direct preference optimisation against a frozen reference.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";
import { inLessMemory, loraParams, trainingParams, withoutEffect } from "../training/params.ts";

export const dpo = defineStage(
  {
    name: "dpo",
    version: 2,
    doc: "Direct preference optimisation (Rafailov et al. 2023): raises chosen over rejected, held to a reference by beta.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The policy to start from." },
      { name: "data", type: dataset(rows.Preference), doc: "Preference pairs." },
      {
        name: "reference",
        type: { kind: "model" },
        optional: true,
        doc: "The frozen reference; the starting policy unless given.",
      },
      {
        name: "eval",
        type: dataset(rows.Preference),
        optional: true,
        doc: "Held-out pairs; their loss and accuracy are `eval_loss` and `eval_accuracy`.",
      },
    ],
    params: Type.Object({
      beta: Type.Number({
        exclusiveMinimum: 0,
        default: 0.1,
        description: "Strength of the pull to the reference.",
        "x-usual": [1e-3, 10],
        "x-source": "Rafailov et al. 2023 App. B",
      }),
      loss: Type.Enum(["sigmoid", "hinge", "ipo", "robust"], {
        type: "string",
        default: "sigmoid",
        description:
          "sigmoid is DPO (Eq. 7); hinge is SLiC on implicit rewards; ipo is Azar et al. 2023; robust is Chowdhury et al. 2024.",
        "x-source": "Rafailov et al. 2023 Eq. 7",
      }),
      label_smoothing: Type.Number({
        minimum: 0,
        exclusiveMaximum: 0.5,
        default: 0,
        description: "Share of labels taken to be flipped (cDPO with sigmoid).",
        "x-unit": "fraction",
        "x-source": "off in all peers",
      }),
      ...trainingParams({
        learning_rate: 1e-6,
        schedule: "linear",
        warmup: 0.1,
        batch_size: 64,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.999,
        source:
          "Rafailov et al. 2023 App. B (lr 1e-6, batch 64); linear with 10% warm-up of Tunstall et al. 2023",
      }),
      ...loraParams(),
      max_length: Type.Optional(
        Type.Integer({
          minimum: 8,
          description: "Longer prompt + response is cut; the model's max_length unless given.",
          "x-unit": "tokens",
        }),
      ),
    }),
    check: (p, given) => [
      ...(p.label_smoothing > 0 && p.loss !== "sigmoid" && p.loss !== "robust"
        ? [
            {
              param: "label_smoothing",
              kind: "other" as const,
              message: `has no effect with loss: ${p.loss}`,
              help: "use loss: sigmoid or robust, or leave it out",
            },
          ]
        : []),
      ...withoutEffect(p, given),
    ],
    output: { kind: "model" },
    metrics: {
      loss: "mean loss of the last tenth of the steps, nats per pair",
      first_loss: "loss at step 0; ln 2 for sigmoid",
      accuracy: "share of pairs whose chosen has the higher implicit reward, last tenth of the steps",
      margin: "mean implicit reward of chosen minus rejected, last tenth of the steps",
      chosen_reward: "mean implicit reward of chosen, last tenth of the steps",
      rejected_reward: "mean implicit reward of rejected, last tenth of the steps",
      eval_loss: "mean loss on the `eval` pairs after training, nats per pair",
      eval_accuracy: "share of the `eval` pairs whose chosen has the higher implicit reward after training",
      eval_margin: "mean implicit reward of chosen minus rejected on the `eval` pairs after training",
      steps: "optimiser steps",
      pairs: "pairs trained on",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.dpo),
  () => import("./estimate.ts").then((m) => m.estimate),
);
