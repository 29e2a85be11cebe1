// Declares `grpo`: reinforcement learning with rewards relative to their group.
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

export const grpo = defineStage(
  {
    name: "grpo",
    version: 2,
    doc: "Group relative policy optimisation (Shao et al. 2024): no value function; scores are measured in deviations from the mean of their group, and the KL is part of the loss.",
    inputs: policyInputs,
    params: Type.Object({
      ...policyParams({
        episodes: 128_000,
        batch_size: 1024,
        minibatch_size: 1024,
        inner_epochs: 1,
        kl_coef: 0.04,
        clip: 0.2,
        learning_rate: 1e-6,
        schedule: "constant",
        warmup: 0,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.999,
        source: "Shao et al. 2024 §4.2: lr 1e-6, β 0.04, batch 1024, one update per rollout; clip of PPO",
      }),
      ...groupParams(
        64,
        "Shao et al. 2024 §4.2; TRL 8",
        "sequence_mean",
        "Shao et al. 2024 Eq. 3; token_mean is DAPO's",
      ),
      scale_rewards: Type.Boolean({
        default: true,
        description:
          "Divides by the deviation of the group; without it, it is Dr. GRPO's advantage (Liu et al. 2025).",
        "x-source": "Shao et al. 2024 §4.1.2",
      }),
    }),
    check: policyProblems,
    output: policyOutput,
    metrics: policyMetrics,
    numeric: true,
    heavy: true,
    inLessMemory: policyInLessMemory,
  },
  () => import("./run.ts").then((m) => m.grpo),
  () => import("../ppo/cost.ts").then((m) => m.policyCost({ klInLoss: true })),
);
