// The graph of a step: log-probabilities of chosen and rejected → the loss that the parameters name, and what is reported of it.
import {
  type Builder,
  type DpoKind,
  dpoKinds,
  dpo as dpoLoss,
  type LossFn,
  orpo,
  simpo,
  unlikelihood,
  type Value,
} from "../../tensor/index.ts";
import type { Normalization } from "../training/reference.ts";
import { rowSums } from "../training/supervision.ts";

const freeKinds = ["orpo", "simpo", "unlikelihood"] as const;

export const lossNames = [...dpoKinds, ...freeKinds] as const;
export type LossName = (typeof lossNames)[number];

/** What the loss needs of the parameters. */
export interface LossParams {
  readonly loss: LossName;
  readonly beta: number;
  readonly label_smoothing: number;
  readonly normalization: Normalization;
  readonly gamma: number;
  readonly alpha: number;
  readonly tau: number;
}

export const referenceFree = (loss: LossName): loss is (typeof freeKinds)[number] =>
  (freeKinds as readonly string[]).includes(loss);

/** Losses of a pair that depend on the others of its batch, which therefore cannot be computed in pieces. */
export const ofWholeBatch = (loss: LossName): boolean => ["aot", "aot_unpaired", "bco_pair"].includes(loss);

/** ORPO and SimPO are made of means per token, unlikelihood of sums; the others may have either. */
export const normalizationOf = ({ loss, normalization }: LossParams): Normalization =>
  referenceFree(loss) ? (loss === "unlikelihood" ? "sum" : "mean") : normalization;

type Inputs = Readonly<Record<"weight" | "pairs" | "scale", Value>> & Readonly<Record<string, Value>>;

/**
 * ids [2B,T], reference [2B] and scale [2B], which turns sums into what is wanted: chosen and rejected in turn; weight [B],
 * 0 for missing pairs; pairs [] of the whole batch.
 */
export function lossOf(params: LossParams): LossFn {
  return (b, model, given) => {
    const inputs = given as Inputs;
    const { weight, pairs, scale } = inputs;
    const size = weight.shape[0]!;
    const two = (x: Value) =>
      b.split(b.reshape(x, [size, 2]), 1, [1, 1]).map((part) => b.reshape(part, [size])) as [Value, Value];
    const sums = rowSums(b, model, inputs);
    const [chosen, rejected] = two(normalizationOf(params) === "sum" ? sums : b.mul(sums, scale));
    const mean = (x: Value) => b.div(b.sum(b.mul(x, weight)), pairs);
    const { losses, chosenReward, rejectedReward, ...more } = referenceFree(params.loss)
      ? alone(b, { chosen, rejected }, params)
      : against(b, { chosen, rejected }, two(inputs.reference!), { params, weight, mean });
    return {
      loss: mean(losses),
      metrics: {
        accuracy: mean(b.cast(b.greater(chosenReward, rejectedReward), "f32")),
        margin: mean(b.sub(chosenReward, rejectedReward)),
        chosen_reward: mean(chosenReward),
        rejected_reward: mean(rejectedReward),
        chosen_logprob: mean(chosen),
        rejected_logprob: mean(rejected),
        ...(more.forwardKl && { forward_kl: mean(more.forwardKl) }),
      },
    };
  };
}

interface Sides {
  readonly chosen: Value;
  readonly rejected: Value;
}

interface Terms {
  /** All [B]. */
  readonly losses: Value;
  readonly chosenReward: Value;
  readonly rejectedReward: Value;
  readonly forwardKl?: Value;
}

function against(
  b: Builder,
  { chosen, rejected }: Sides,
  [refChosen, refRejected]: readonly [Value, Value],
  { params, weight, mean }: { params: LossParams; weight: Value; mean: (x: Value) => Value },
): Terms {
  const { beta, label_smoothing, tau } = params;
  const [c, r] = [b.sub(chosen, refChosen), b.sub(rejected, refRejected)];
  const half = b.mul(b.add(c, r), 0.5);
  const { losses, chosenRewards, rejectedRewards } = dpoLoss(
    b,
    { chosen, rejected, refChosen, refRejected },
    {
      kind: params.loss as DpoKind,
      beta,
      label_smoothing,
      tau,
      weight,
      // The mean reward of the batch stands for the running mean of the paper.
      ...(params.loss === "bco_pair" && { shift: b.stopGradient(mean(b.mul(half, beta))) }),
    },
  );
  return {
    losses,
    chosenReward: chosenRewards,
    rejectedReward: rejectedRewards,
    forwardKl: b.neg(half),
  };
}

function alone(b: Builder, sides: Sides, { loss, beta, gamma, alpha }: LossParams): Terms {
  const losses =
    loss === "orpo"
      ? orpo(b, sides, { beta })
      : loss === "simpo"
        ? simpo(b, sides, { beta, gamma })
        : unlikelihood(b, sides, { alpha });
  return { losses, chosenReward: b.mul(sides.chosen, beta), rejectedReward: b.mul(sides.rejected, beta) };
}
