// Declares `rloo`: reinforcement learning with the other responses to a prompt as the baseline.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import {
  groupParams,
  policyInLessMemory,
  policyInputs,
  policyMetrics,
  policyOutput,
  policyParams,
  policyProblems,
} from "../ppo/params.ts";

export const rloo = defineStage(
  {
    name: "rloo",
    version: 2,
    doc: "REINFORCE leave-one-out (Ahmadian et al. 2024): no value function; a response is held against the mean of the other responses to its prompt.",
    inputs: policyInputs,
    params: Type.Object({
      ...policyParams({
        episodes: 128_000,
        batch_size: 512,
        minibatch_size: 512,
        inner_epochs: 1,
        kl_coef: 0.03,
        clip: 0.2,
        learning_rate: 1e-6,
        schedule: "constant",
        warmup: 0.03,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.999,
        source: "Ahmadian et al. 2024 App. B (HH, TL;DR): rollout and step batch 512, lr 1e-6, β 0.03",
      }),
      ...groupParams(4, "Ahmadian et al. 2024 §5: k = 2 and 4", "sequence_sum", "Ahmadian et al. 2024 Eq. 8"),
    }),
    check: policyProblems,
    output: policyOutput,
    metrics: policyMetrics,
    numeric: true,
    heavy: true,
    inLessMemory: policyInLessMemory,
  },
  () => import("./run.ts").then((m) => m.rloo),
  () => import("../ppo/cost.ts").then((m) => m.policyCost({ klInLoss: false })),
);
