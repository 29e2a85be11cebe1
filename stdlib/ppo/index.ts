// Declares `ppo`: proximal policy optimisation of a model against a reward, held to a reference by a KL penalty.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import {
  policyInLessMemory,
  policyInputs,
  policyMetrics,
  policyOutput,
  policyParams,
  policyProblems,
} from "./params.ts";

const paper = { "x-source": "Schulman et al. 2017; lm-human-preferences; TRL" };

export const ppo = defineStage(
  {
    name: "ppo",
    version: 2,
    doc: "Reinforcement learning from a reward (Ouyang et al. 2022 §3.5): samples responses, scores them, and raises what did better than the value function expected, at a price per nat of KL.",
    inputs: policyInputs,
    params: Type.Object({
      ...policyParams({
        episodes: 256_000,
        batch_size: 512,
        minibatch_size: 64,
        inner_epochs: 1,
        kl_coef: 0.02,
        clip: 0.2,
        learning_rate: 3e-6,
        schedule: "constant",
        warmup: 0.02,
        epochs: 1,
        weight_decay: 0,
        adam_beta2: 0.95,
        source: "Ouyang et al. 2022 App. C.4; learning rate of TRL's PPO, as the paper's is not published",
      }),
      kl_control: Type.Enum(["fixed", "ziegler", "ppo"], {
        type: "string",
        default: "fixed",
        description:
          "ziegler steers β towards kl_target in small steps; ppo halves or doubles it when the KL is 1.5 times too low or too high.",
        "x-source": "Ouyang et al. 2022 App. C.4; Ziegler et al. 2019 §2.2; Schulman et al. 2017 §4",
      }),
      kl_target: Type.Number({
        exclusiveMinimum: 0,
        default: 6,
        description: "KL of a response that adaptive control aims at.",
        "x-unit": "nats",
        "x-source": "Ziegler et al. 2019; TRL 0.x",
      }),
      kl_horizon: Type.Integer({
        minimum: 1,
        default: 10_000,
        description: "ziegler: episodes over which β may change by a fifth.",
        "x-unit": "episodes",
        "x-source": "lm-human-preferences",
      }),
      kl_estimator: Type.Enum(["k1", "k2", "k3"], {
        type: "string",
        default: "k1",
        description: "Of the KL at a token: k1 is log π/π_ref itself.",
        "x-source": "Ouyang et al. 2022 Eq. 2",
      }),
      gamma: Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        default: 1,
        description: "Discount.",
        "x-source": "Ouyang et al. 2022 App. C.4: none",
      }),
      lambda: Type.Number({
        minimum: 0,
        maximum: 1,
        default: 0.95,
        description: "λ of generalised advantage estimation.",
        ...paper,
      }),
      whiten_advantages: Type.Boolean({
        default: true,
        description: "Advantages of an iteration get mean 0 and variance 1.",
        ...paper,
      }),
      whiten_rewards: Type.Boolean({
        default: false,
        description: "Per-token rewards of an iteration get variance 1; their mean stays.",
        "x-source": "TRL PPO; on in lm-human-preferences",
      }),
      value_init: Type.Optional(
        Type.Enum(["reward", "policy", "shared"], {
          type: "string",
          description:
            "What the value function starts as: a copy of the reward model (Ouyang et al. 2022), a copy of the policy, or a head on the policy's own trunk. reward where the reward is a reward model, else policy.",
        }),
      ),
      value_learning_rate: Type.Number({
        exclusiveMinimum: 0,
        default: 9e-6,
        description: "Peak learning rate of a value function of its own.",
        "x-source": "Ouyang et al. 2022 App. C.4",
      }),
      value_clip: Type.Number({
        minimum: 0,
        default: 0.2,
        description: "How far a value may move and still count; 0 is any way.",
        ...paper,
      }),
      value_coef: Type.Number({
        exclusiveMinimum: 0,
        default: 0.1,
        description: "Weight of the value loss beside the policy loss, with value_init: shared.",
        "x-source": "lm-human-preferences; TRL",
      }),
    }),
    check: (p, given) => [
      ...policyProblems(p, given),
      ...["kl_target", "kl_horizon"]
        .filter(
          (param) =>
            given(param) && (p.kl_control === "fixed" || (param === "kl_horizon" && p.kl_control === "ppo")),
        )
        .map((param) => ({
          param,
          kind: "other" as const,
          message: `has no effect with kl_control: ${p.kl_control}`,
          help: "use kl_control: ziegler, or leave it out",
        })),
      ...(given("value_coef") && p.value_init !== "shared"
        ? [
            {
              param: "value_coef",
              kind: "other" as const,
              message: "has no effect unless value_init is shared",
              help: "a value function of its own has its own value_learning_rate",
            },
          ]
        : []),
    ],
    output: policyOutput,
    metrics: {
      ...policyMetrics,
      value_loss: "clipped value loss, half the mean square",
      value_clip_fraction: "share of tokens whose value was cut and mattered",
      explained_variance: "share of the returns' variance that the value function foresaw; 1 is all of it",
    },
    numeric: true,
    heavy: true,
    inLessMemory: policyInLessMemory,
  },
  () => import("./run.ts").then((m) => m.ppo),
  () => import("./cost.ts").then((m) => m.ppoCost),
);
