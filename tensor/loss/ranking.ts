// Losses of a reward model on ranked responses: every pair of a prompt at once, or the whole order (Plackett-Luce).

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** P prompts with up to K responses each. */
export interface Ranked {
  /** Rewards [P,K]; what stands in unused places does not matter as long as it is finite. */
  readonly rewards: Value;
  /** 1 where response i is better than response j, else 0 (ties, unused places), [P,K,K]. */
  readonly better: Value;
}

export interface PairTerms {
  /** Subtracted from the difference of each pair, [P,K,K]: the preferred one must lead by this much (Llama 2 §3.2.2). */
  readonly margin?: Value;
  /** c·(r_i + r_j)² per pair holds rewards around zero (https://arxiv.org/abs/2312.09244; TRL's center_rewards_coefficient). */
  readonly center?: number;
  /** c·½(r_i² + r_j²) per pair, as LAION's Open-Assistant regularises. */
  readonly l2?: number;
}

/**
 * -log σ(r_i - r_j - margin) over the pairs of each prompt, their mean per prompt [P]; 0 for a prompt without pairs.
 * With K = 2 this is Bradley-Terry. InstructGPT Eq. 1: https://arxiv.org/abs/2203.02155
 */
export function kWise(b: Builder, { rewards, better }: Ranked, terms: PairTerms = {}): Value {
  const { winner, loser } = sides(b, rewards);
  const lead = b.sub(winner, loser);
  let loss = b.softplus(b.neg(terms.margin ? b.sub(lead, terms.margin) : lead));
  if (terms.center) loss = b.add(loss, b.mul(b.square(b.add(winner, loser)), terms.center));
  if (terms.l2) loss = b.add(loss, b.mul(b.add(b.square(winner), b.square(loser)), terms.l2 / 2));
  return perPrompt(b, loss, better);
}

/** Share of each prompt's pairs whose better response has the higher reward [P]; a tie of rewards counts half. */
export function pairAccuracy(b: Builder, { rewards, better }: Ranked): Value {
  const { winner, loser } = sides(b, rewards);
  const above = b.cast(b.greater(winner, loser), "f32");
  const equal = b.cast(b.equal(winner, loser), "f32");
  return perPrompt(b, b.add(above, b.mul(equal, 0.5)), better);
}

/**
 * -Σ_i [r_i - log(e^{r_i} + Σ_{j worse than i} e^{r_j})] per prompt [P]: the likelihood of picking the best, then the best
 * of the rest, and so on. Tied responses are not compared with each other. With K = 2 this is Bradley-Terry.
 */
export function plackettLuce(b: Builder, { rewards, better }: Ranked): Value {
  const [P, K] = rewards.shape as [number, number];
  // r_j - r_i where j may be picked after i; the term of i itself is e⁰.
  const { winner, loser } = sides(b, rewards);
  const after = b.select(b.greater(better, 0.5), b.sub(loser, winner), FORBIDDEN);
  const highest = b.maximum(b.max(after, [2]), 0);
  const rest = b.sum(b.exp(b.sub(after, highest)), [2]);
  const picked = b.add(highest, b.log(b.add(b.exp(b.neg(highest)), rest)));
  return b.reshape(b.sum(b.reshape(picked, [P, K]), [1]), [P]);
}

const FORBIDDEN = -1e9;

/** r_i and r_j of every pair (i, j), [P,K,1] and [P,1,K]. */
function sides(b: Builder, rewards: Value): { winner: Value; loser: Value } {
  const [P, K] = rewards.shape as [number, number];
  return { winner: b.reshape(rewards, [P, K, 1]), loser: b.reshape(rewards, [P, 1, K]) };
}

function perPrompt(b: Builder, values: Value, better: Value): Value {
  const P = better.shape[0]!;
  const total = b.sum(b.mul(values, better), [1, 2]);
  return b.reshape(b.div(total, b.maximum(b.sum(better, [1, 2]), 1)), [P]);
}
