// What ppo, rloo and grpo are told alike: inputs, parameters, metrics, and which of them have no effect beside others.
import Type from "typebox";
import {
  type Type as AlignType,
  type CallFacts,
  dataset,
  type InputSpec,
  type ParamProblem,
  rows,
  type TypeProblem,
} from "../../grammar/index.ts";
import type { Aggregation } from "../../tensor/index.ts";
import {
  inLessMemory,
  type LoraParams,
  loraParams,
  type TrainingDefaults,
  type TrainingParams,
  trainingParams,
  withoutEffect,
} from "../training/params.ts";

export const policyInputs: readonly InputSpec[] = [
  { name: "model", type: { kind: "model" }, doc: "The policy to start from, usually after sft." },
  {
    name: "reward",
    type: { kind: "judge" },
    doc: "What gives a response its score: a reward model, or a judge such as `script` and `lexicon`.",
  },
  { name: "prompts", type: dataset(rows.Prompt), doc: "What the policy responds to." },
  {
    name: "reference",
    type: { kind: "model" },
    optional: true,
    doc: "What the KL is taken to; the starting policy unless given.",
  },
  {
    name: "pretrain",
    type: dataset(rows.Text),
    optional: true,
    doc: "Pretraining text, mixed in with `ptx_coef` (PPO-ptx).",
  },
  {
    name: "eval_text",
    type: dataset(rows.Text),
    optional: true,
    doc: "Held-out text; `lm_loss_increase` says how much worse it is predicted than before.",
  },
  {
    name: "truth",
    type: { kind: "judge" },
    optional: true,
    doc: "A judge that training never sees, asked about the same responses: where it falls while the reward rises, the reward is over-optimised.",
  },
];

interface PolicyDefaults extends TrainingDefaults {
  readonly episodes: number;
  readonly minibatch_size: number;
  readonly inner_epochs: number;
  readonly clip: number;
  readonly kl_coef: number;
}

export function policyParams(defaults: PolicyDefaults) {
  const source = { "x-source": defaults.source };
  // These train for a number of episodes, and their running average goes by the paper's name.
  const {
    epochs: _,
    steps: __,
    eval_every: ___,
    ema_decay: ____,
    steps_per_run: _____,
    select_by: ______,
    ...training
  } = trainingParams(defaults);
  return {
    episodes: Type.Integer({
      "x-rehearse": { always: 8 },
      minimum: 1,
      default: defaults.episodes,
      description: "Responses sampled in all.",
      "x-unit": "episodes",
      ...source,
    }),
    ...training,
    batch_size: Type.Integer({
      "x-rehearse": { always: 4 },
      minimum: 1,
      default: defaults.batch_size,
      description: "Responses sampled per iteration, between updates.",
      "x-unit": "episodes",
      ...source,
    }),
    minibatch_size: Type.Integer({
      "x-rehearse": { always: 4 },
      minimum: 1,
      default: defaults.minibatch_size,
      description: "Responses per optimiser step; divides batch_size.",
      "x-unit": "episodes",
      ...source,
    }),
    inner_epochs: Type.Integer({
      "x-rehearse": { most: 1 },
      minimum: 1,
      default: defaults.inner_epochs,
      description: "Passes over an iteration's responses.",
      ...source,
    }),
    max_new_tokens: Type.Integer({
      "x-rehearse": { most: 8 },
      minimum: 1,
      default: 53,
      description: "Longest response.",
      "x-unit": "tokens",
      "x-source": "TRL PPO (response_length), from Stiennon et al. 2020",
    }),
    temperature: Type.Number({
      exclusiveMinimum: 0,
      default: 1,
      description: "Of the rollouts; probabilities in the loss and in the KL are those at this temperature.",
      "x-source": "Ouyang et al. 2022 App. C.4",
    }),
    kl_coef: Type.Number({
      minimum: 0,
      default: defaults.kl_coef,
      description: "β, the price of a nat of KL from the reference.",
      ...source,
    }),
    clip: Type.Number({
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: defaults.clip,
      description: "ε, how far a token's probability ratio may move and still count.",
      ...source,
    }),
    clip_high: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: "Another ε above; the same as `clip` unless given (DAPO: 0.28).",
      }),
    ),
    entropy_coef: Type.Number({
      minimum: 0,
      default: 0,
      description: "Weight of the mean entropy of the policy, which is added to the objective.",
      "x-source": "none in Ouyang et al. 2022; 0.01 in Schulman et al. 2017 for Atari",
    }),
    score_clip: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: "Scores are held to ± this (DeepSpeed-Chat 5, OpenRLHF 10).",
      }),
    ),
    missing_eos_penalty: Type.Number({
      minimum: 0,
      default: 0,
      description: "Subtracted from the score of a response that did not end by itself.",
      "x-source": "off in Ouyang et al. 2022; 1 in TRL's PPO example",
    }),
    early_stop_kl: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description:
          "The rest of an iteration's updates is left out once the policy has moved this far from the one that sampled.",
        "x-unit": "nats per token",
      }),
    ),
    max_kl: Type.Number({
      exclusiveMinimum: 0,
      default: 10,
      description: "The run fails when the KL from the reference is above this, as it has then collapsed.",
      "x-unit": "nats per token",
      "x-source": "Align: nearly ln of a vocabulary of 32,000; collapsed pilots stood at 4",
    }),
    ptx_coef: Type.Number({
      minimum: 0,
      default: 0,
      description: "γ, the weight of the loss on pretraining text in nats per token (PPO-ptx: 27.8).",
      "x-source": "Ouyang et al. 2022 Eq. 2: 0 is PPO",
    }),
    ptx_ratio: Type.Number({
      exclusiveMinimum: 0,
      default: 8,
      description: "Pretraining sequences per episode.",
      "x-source": "Ouyang et al. 2022 App. C.4",
    }),
    ptx_length: Type.Optional(
      Type.Integer({
        minimum: 2,
        description: "Tokens of a pretraining sequence; the model's max_length unless given.",
        "x-unit": "tokens",
      }),
    ),
    ema: Type.Optional(
      Type.Number({
        minimum: 0,
        exclusiveMaximum: 1,
        description:
          "Keeps the running average e ← d·e + (1-d)·w of the weights, which is then the result (InstructGPT: 0.992).",
      }),
    ),
    ...loraParams(),
  };
}

export interface PolicyParams
  extends Omit<
      TrainingParams,
      "epochs" | "steps" | "eval_every" | "ema_decay" | "steps_per_run" | "select_by"
    >,
    LoraParams {
  readonly episodes: number;
  readonly minibatch_size: number;
  readonly inner_epochs: number;
  readonly max_new_tokens: number;
  readonly temperature: number;
  readonly kl_coef: number;
  readonly clip: number;
  readonly clip_high?: number;
  readonly entropy_coef: number;
  readonly score_clip?: number;
  readonly missing_eos_penalty: number;
  readonly early_stop_kl?: number;
  readonly max_kl: number;
  readonly ptx_coef: number;
  readonly ptx_ratio: number;
  readonly ptx_length?: number;
  readonly ema?: number;
}

/** What is taken apart is a minibatch, as `batch_size` counts the episodes of an iteration. */
export function policyInLessMemory<
  P extends { readonly minibatch_size: number; readonly micro_batch_size?: number },
>(params: P, times: number): P | undefined {
  const less = inLessMemory({ ...params, batch_size: params.minibatch_size }, times);
  return less && { ...params, micro_batch_size: less.micro_batch_size! };
}

type Checked = PolicyParams & { readonly samples?: number };

/** Sizes that do not divide each other, and parameters without effect. */
export function policyProblems(p: Checked, given: (name: string) => boolean): ParamProblem[] {
  const problems: ParamProblem[] = [];
  const divides = (param: string, small: number, of: string, large: number) => {
    if (large % small === 0) return;
    problems.push({
      param,
      kind: "other",
      message: `is ${small}, which does not divide ${of} ${large}: a minibatch would be short or empty`,
      help: `for instance ${Array.from({ length: Math.min(small, large) }, (_, i) => Math.min(small, large) - i).find((n) => large % n === 0)}`,
    });
  };
  divides("minibatch_size", p.minibatch_size, "batch_size", p.batch_size);
  if (p.samples !== undefined) divides("samples", p.samples, "batch_size", p.batch_size);
  if (p.ptx_coef === 0) {
    for (const param of ["ptx_ratio", "ptx_length"]) {
      if (!given(param)) continue;
      problems.push({
        param,
        kind: "other",
        message: "has no effect with ptx_coef: 0",
        help: "set ptx_coef: 27.8",
      });
    }
  }
  return [...problems, ...withoutEffect(p, given)];
}

export const policyMetrics = {
  reward: "mean score of the responses, last tenth of the iterations",
  first_reward: "mean score of the first iteration's responses, which the starting policy sampled",
  best_reward: "highest mean score of an iteration",
  truth: "mean score by the judge `truth`, last tenth of the iterations",
  first_truth: "mean score by the judge `truth` in the first iteration",
  kl: "mean KL from the reference of a response, k1 estimate, nats, last tenth of the iterations",
  kl_k2: "the same by Schulman's k2 estimate: low variance, biased",
  kl_k3: "the same by Schulman's k3 estimate: unbiased and never negative",
  kl_coef: "β after the last iteration",
  entropy: "mean entropy of the policy at the response tokens, nats",
  policy_loss: "clipped policy loss",
  clip_fraction: "share of tokens whose ratio was cut and mattered",
  moved_kl: "KL of the updated policy from the one that sampled, k3 estimate, nats per token",
  length: "mean response length, tokens",
  ended: "share of responses that ended by themselves",
  ptx_loss: "loss on the pretraining text that was mixed in, nats per token",
  lm_loss: "loss on `eval_text` after training, nats per token",
  lm_loss_increase: "how much that is above the starting policy's, nats per token",
  iterations: "iterations of sampling and updating",
  updates: "optimiser steps of the policy",
  episodes: "responses sampled",
};

/** Pretraining text and its coefficient come together. */
export function policyOutput({ inputs, params }: CallFacts): AlignType | TypeProblem {
  const coef = params.ptx_coef as number;
  if (coef > 0 && !inputs.pretrain) {
    return {
      message: `ptx_coef is ${coef}, but there is no pretraining text`,
      help: "give `pretrain: corpus`",
      at: "ptx_coef",
    };
  }
  if (coef === 0 && inputs.pretrain) {
    return {
      message: "with ptx_coef 0 the pretraining text is not used",
      help: "set ptx_coef (PPO-ptx: 27.8), or leave `pretrain` out",
      at: "pretrain",
    };
  }
  return { kind: "model" };
}

export interface GroupParams extends PolicyParams {
  readonly samples: number;
  readonly aggregation: Aggregation;
}

/** Of the algorithms that hold the responses to a prompt against each other. */
export function groupParams(samples: number, source: string, aggregation: Aggregation, lossSource: string) {
  return {
    samples: Type.Integer({
      minimum: 2,
      default: samples,
      description: "Responses to each prompt; divides batch_size.",
      "x-source": source,
    }),
    aggregation: Type.Enum(["token_mean", "sequence_mean", "sequence_sum"], {
      type: "string",
      default: aggregation,
      description:
        "The loss is the mean over all tokens, or over responses of the mean or of the sum over their tokens.",
      "x-source": lossSource,
    }),
  };
}
