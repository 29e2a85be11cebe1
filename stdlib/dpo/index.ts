// Declares `dpo`: direct preference optimisation against a frozen reference, and the losses that grew out of it.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  dataset,
  rows,
  type TypeProblem,
} from "../../grammar/index.ts";
import { smoothedKinds } from "../../tensor/index.ts";
import { inLessMemory, loraParams, trainingParams, withoutEffect } from "../training/params.ts";
import { type LossName, lossNames, ofWholeBatch, referenceFree } from "./losses.ts";

/** Which losses look at a parameter that not all do. */
const looksAt: Readonly<Record<string, (loss: LossName) => boolean>> = {
  beta: (loss) => loss !== "unlikelihood",
  label_smoothing: (loss) => (smoothedKinds as readonly string[]).includes(loss),
  normalization: (loss) => !referenceFree(loss),
  gamma: (loss) => loss === "simpo",
  alpha: (loss) => loss === "unlikelihood",
  tau: (loss) => loss === "discopop",
  sync_reference_every: (loss) => !referenceFree(loss),
};

export const dpo = defineStage(
  {
    name: "dpo",
    version: 4,
    doc: "Direct preference optimisation (Rafailov et al. 2023): raises chosen over rejected, held to a reference by beta. `loss` names its relatives, of which some need no reference.",
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
        description:
          "Strength of the pull to the reference; the scale of rewards with simpo (the paper has 2), the weight of the odds ratio with orpo.",
        "x-usual": [1e-3, 10],
        "x-source": "Rafailov et al. 2023 App. B; Hong et al. 2024 for orpo",
      }),
      loss: Type.Enum([...lossNames], {
        type: "string",
        default: "sigmoid",
        description:
          "sigmoid is DPO (Eq. 7), with label_smoothing cDPO; robust, hinge (SLiC), ipo, exo_pair, nca_pair, bco_pair, sppo_hard, aot, aot_unpaired, apo_zero, apo_down and discopop are TRL's by these names; orpo, simpo and unlikelihood need no reference. `loss: simpo(gamma: 0.5)`, `loss: ipo(normalization: mean)`.",
        "x-options": {
          label_smoothing: "label_smoothing",
          normalization: "normalization",
          gamma: "gamma",
          alpha: "alpha",
          tau: "tau",
        },
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
      normalization: Type.Enum(["sum", "mean"], {
        type: "string",
        default: "sum",
        description:
          "Log-probability of a response: the sum over its tokens, or their mean. IPO is sum in OpenRLHF and mean in TRL; sigmoid with mean is sigmoid_norm.",
        "x-source": "Rafailov et al. 2023; Azar et al. 2023 Eq. 17",
      }),
      gamma: Type.Number({
        minimum: 0,
        default: 0.5,
        description: "simpo: by how much the reward of chosen is to lead.",
        "x-source": "TRL (simpo_gamma)",
      }),
      alpha: Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0.5,
        description: "unlikelihood: weight of the log-probability of rejected.",
        "x-source": "Rafailov et al. 2023 §6.1 sweeps 0.05 to 1",
      }),
      tau: Type.Number({
        exclusiveMinimum: 0,
        default: 0.05,
        description: "discopop: temperature of the blend of its two losses.",
        "x-source": "Lu et al. 2024; TRL (discopop_tau)",
      }),
      sync_reference_every: Type.Optional(
        Type.Integer({
          minimum: 1,
          description:
            "Steps after which the reference moves towards the policy (TR-DPO, Gorbatovski et al. 2024; TRL 512). It stands still unless given; `eval` is always held against the first.",
          "x-unit": "steps",
        }),
      ),
      sync_reference_mixup: Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.6,
        description: "Share of the policy in the reference after such a move.",
        "x-unit": "fraction",
        "x-source": "TRL (ref_model_mixup_alpha)",
      }),
      ...trainingParams({
        learning_rate: 1e-6,
        schedule: "linear",
        warmup: 0.1,
        batch_size: 64,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.999,
        selects: ["eval_loss", "eval_accuracy", "eval_margin"],
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
      ...Object.entries(looksAt).flatMap(([param, looked]) =>
        looked(p.loss) || !given(param)
          ? []
          : [idle(param, `has no effect with loss: ${p.loss}`, `leave it out, or use ${using(looked)}`)],
      ),
      ...(given("sync_reference_mixup") && p.sync_reference_every === undefined
        ? [idle("sync_reference_mixup", "has no effect without sync_reference_every", "set how often")]
        : []),
      ...(ofWholeBatch(p.loss) && (p.micro_batch_size ?? p.batch_size) < p.batch_size
        ? [
            idle(
              "micro_batch_size",
              `does not go with loss: ${p.loss}, which holds the pairs of a batch against each other`,
              "leave it out",
            ),
          ]
        : []),
      ...withoutEffect(p, given),
    ],
    output,
    metrics: {
      loss: "mean loss of the last tenth of the steps, per pair",
      first_loss: "loss at step 0; ln 2 for sigmoid",
      accuracy: "share of pairs whose chosen has the higher implicit reward, last tenth of the steps",
      margin: "mean implicit reward of chosen minus rejected, last tenth of the steps",
      chosen_reward:
        "mean implicit reward of chosen, last tenth of the steps: β (log π − log π_ref), β log π without a reference",
      rejected_reward: "the same of rejected",
      chosen_logprob: "mean log-probability of chosen, sum or mean as `normalization` says, last tenth, nats",
      rejected_logprob: "the same of rejected",
      forward_kl:
        "mean of log π_ref − log π over chosen and rejected, last tenth, nats: KL(π_ref ‖ π) where the reference wrote them",
      eval_loss: "mean loss on the `eval` pairs after training, per pair",
      eval_accuracy: "share of the `eval` pairs whose chosen has the higher implicit reward after training",
      eval_margin: "mean implicit reward of chosen minus rejected on the `eval` pairs after training",
      steps: "optimiser steps",
      best_step: "the step whose weights were kept, with `select_by`",
      pairs: "pairs trained on",
    },
    numeric: true,
    heavy: true,
    inLessMemory: (p, times) => (ofWholeBatch(p.loss) ? undefined : inLessMemory(p, times)),
  },
  () => import("./run.ts").then((m) => m.dpo),
  () => import("./estimate.ts").then((m) => m.estimate),
);

const idle = (param: string, message: string, help: string) => ({
  param,
  kind: "other" as const,
  message,
  help,
});

/** `loss: simpo`, `loss: sigmoid or robust`; a few of many. */
function using(looked: (loss: LossName) => boolean): string {
  const fitting = lossNames.filter(looked);
  return `loss: ${fitting.slice(0, 2).join(" or ")}`;
}

function output({ inputs, params }: CallFacts): AlignType | TypeProblem {
  const loss = params.loss as LossName;
  if (!inputs.reference || !referenceFree(loss)) return { kind: "model" };
  return {
    message: `loss: ${loss} has no reference, so that the one given here would not be read`,
    help: "leave `reference` out",
    at: "reference",
  };
}
