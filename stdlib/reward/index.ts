// Declares `reward`: a reward model learnt from comparisons of responses.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset } from "../../grammar/index.ts";
import { inLessMemory, loraParams, trainingParams, withoutEffect } from "../training/params.ts";
import { comparisons, comparisonsProblem } from "./comparisons.ts";

export const reward = defineStage(
  {
    name: "reward",
    version: 1,
    doc: "A reward model (Ouyang et al. 2022 §3.5): a decoder with a scalar head, trained so that better responses score higher.",
    inputs: [
      { name: "model", type: { kind: "model" }, doc: "The decoder to start from, usually after sft." },
      {
        name: "data",
        type: comparisons,
        doc: "Comparisons: `responses` with `ranks` (1 is best, equal ranks tie) or `scores`, two to nine, or `chosen` and `rejected`.",
      },
      {
        name: "eval",
        type: comparisons,
        optional: true,
        doc: "Held-out comparisons; a column `labeler` gives a table with one line for each.",
      },
      {
        name: "center_on",
        type: dataset({ name: "Instruction or Chat", columns: {} }),
        optional: true,
        doc: "Demonstrations whose mean score becomes 0, by a bias added after training.",
      },
    ],
    params: Type.Object({
      loss: Type.Enum(["k_wise", "pairwise", "plackett_luce"], {
        type: "string",
        default: "k_wise",
        description:
          "k_wise: all pairs of a prompt are one batch element, each response is computed once; pairwise: every pair is an example of its own; plackett_luce: the likelihood of the whole order.",
        "x-source": "Ouyang et al. 2022 Eq. 1: pairs shuffled into one dataset overfit in one pass",
      }),
      center_coef: Type.Number({
        minimum: 0,
        default: 0,
        description:
          "Adds c·(r_w + r_l)² per pair, which holds rewards around 0 (TRL: center_rewards_coefficient).",
        "x-source": "off in TRL; 0.01 where it is on (Eisenstein et al. 2023)",
      }),
      l2_coef: Type.Number({
        minimum: 0,
        default: 0,
        description: "Adds c·½(r_w² + r_l²) per pair.",
        "x-source": "off; 0.001 in LAION's Open-Assistant",
      }),
      normalize: Type.Enum(["mean", "mean_and_std"], {
        type: "string",
        default: "mean",
        description: "What `center_on` fixes: the mean at 0, or also the deviation at 1.",
        "x-source": "Ouyang et al. 2022 §3.5; both in Ziegler et al. 2019",
      }),
      ...trainingParams({
        learning_rate: 9e-6,
        schedule: "cosine",
        warmup: 0,
        batch_size: 64,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.95,
        selects: ["eval_loss", "eval_accuracy"],
        source: "Ouyang et al. 2022 App. C.2; batch_size counts prompts",
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
      ...(["center_coef", "l2_coef"] as const).flatMap((param) =>
        p.loss === "plackett_luce" && given(param)
          ? [
              {
                param,
                kind: "other" as const,
                message: "has no effect with loss: plackett_luce",
                help: "use loss: k_wise or pairwise, or leave it out",
              },
            ]
          : [],
      ),
      ...withoutEffect(p, given),
    ],
    output: ({ inputs }) =>
      comparisonsProblem("reward", inputs, ["data", "eval"]) ?? { kind: "reward_model" },
    metrics: {
      loss: "mean loss of the last tenth of the steps, nats per comparison",
      first_loss: "loss at step 0; near ln 2 for pairs",
      accuracy:
        "share of pairs whose better response scored higher, last tenth of the steps, each before it was trained on if there is one epoch",
      eval_loss: "mean −log σ of the difference over the pairs of `eval`, nats",
      eval_accuracy: "share of the pairs of `eval` whose better response scores higher",
      eval_accuracy_low: "lower end of its 95% interval, bootstrapped over comparisons",
      eval_accuracy_high: "upper end of its 95% interval",
      eval_calibration_error: "mean gap between σ(difference) and the share that came true, over ten bins",
      demonstrations_mean: "mean score of `center_on` before the bias that makes it 0",
      demonstrations_std: "deviation of the scores of `center_on`, before scaling",
      comparisons: "comparisons trained on",
      pairs: "untied pairs in them",
      all_tied: "comparisons left out because all their responses tie",
      forwards: "responses computed in training",
      steps: "optimiser steps",
      best_step: "the step whose weights were kept, with `select_by`",
    },
    numeric: true,
    heavy: true,
    inLessMemory,
  },
  () => import("./run.ts").then((m) => m.reward),
  () => import("./estimate.ts").then((m) => m.estimate),
);

export { preferenceAccuracy } from "./preference-accuracy.ts";
