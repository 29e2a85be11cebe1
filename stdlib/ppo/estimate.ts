// Advantages and returns of an iteration's episodes: PPO's with a value function, or a group's own mean as baseline.
import {
  gae,
  groupRelative,
  type KlEstimator,
  klEstimate,
  leaveOneOut,
  tokenRewards,
  whiten,
} from "../../tensor/index.ts";
import type { Assessed } from "./episode.ts";

/** One number for each token of each episode. */
export interface Estimate {
  readonly advantages: readonly (readonly number[])[];
  /** What the value function should have said; nothing without one. */
  readonly returns: readonly (readonly number[])[];
}

export type Estimator = (episodes: readonly Assessed[], klCoef: number) => Estimate;

export interface GaeParams {
  readonly gamma: number;
  readonly lambda: number;
  readonly kl_estimator: KlEstimator;
  readonly whiten_rewards: boolean;
  readonly whiten_advantages: boolean;
}

/** Per-token rewards -β·KL with the score on the last token, then GAE, then whitening over all tokens of the iteration. */
export const withValues =
  (params: GaeParams): Estimator =>
  (episodes, klCoef) => {
    const plain = episodes.map((e) => tokenRewards(tokenKl(e, params.kl_estimator), e.shaped, klCoef));
    const rewards = params.whiten_rewards ? whiten(plain, false) : plain;
    const estimates = episodes.map(({ values }, i) => gae(rewards[i]!, values, params));
    const advantages = estimates.map((e) => e.advantages);
    return {
      advantages: params.whiten_advantages ? whiten(advantages) : advantages,
      returns: estimates.map((e) => e.returns),
    };
  };

/** RLOO: the reward of a response, less β·KL of the whole of it, against the mean of the other responses to its prompt. */
export const leavingOneOut =
  (samples: number): Estimator =>
  (episodes, klCoef) => {
    const rewards = episodes.map((e) => e.shaped - klCoef * sum(tokenKl(e, "k1")));
    return spread(episodes, inGroups(rewards, samples, leaveOneOut));
  };

/** GRPO: the score of a response in deviations from the mean of its group. The KL is part of the loss, not of the reward. */
export const relativeToGroup =
  (samples: number, scale: boolean): Estimator =>
  (episodes) => {
    const scores = episodes.map(({ shaped }) => shaped);
    return spread(
      episodes,
      inGroups(scores, samples, (group) => groupRelative(group, { scale })),
    );
  };

/** Estimates of KL(π‖π_ref) at each token, in nats. */
export const tokenKl = ({ logprobs, reference }: Assessed, kind: KlEstimator): number[] =>
  logprobs.map((logprob, t) => klEstimate(kind, logprob - reference[t]!));

const sum = (xs: readonly number[]): number => xs.reduce((s, x) => s + x, 0);

function inGroups(
  rewards: readonly number[],
  size: number,
  advantages: (group: readonly number[]) => number[],
): number[] {
  return rewards.flatMap((_, i) => (i % size === 0 ? advantages(rewards.slice(i, i + size)) : []));
}

/** Every token of a response has the response's advantage. */
const spread = (episodes: readonly Assessed[], advantages: readonly number[]): Estimate => ({
  advantages: episodes.map(({ ids }, i) => ids.map(() => advantages[i]!)),
  returns: [],
});
