// The best reward that any policy can have at a given KL from the reference, estimated from the reference's own responses. Pure.

export interface Point {
  /** Mean over prompts of the sequence KL from the reference, nats. */
  readonly kl: number;
  /** Mean over prompts of the reward. */
  readonly reward: number;
}

/**
 * The policies π ∝ π_ref e^{r/λ} are the frontier (Rafailov et al. 2023 Eq. 4). Of N responses that the reference wrote, each
 * stands for 1/N, so that π gives it w = softmax(r/λ): reward Σ w r, KL Σ w log(N w). `rewards` [prompts][N].
 */
export function tilted(rewards: readonly (readonly number[])[], lambda: number): Point {
  let [kl, reward] = [0, 0];
  for (const own of rewards) {
    const highest = Math.max(...own);
    const weights = own.map((r) => Math.exp((r - highest) / lambda));
    const total = weights.reduce((a, b) => a + b, 0);
    own.forEach((r, i) => {
      const w = weights[i]! / total;
      if (w === 0) return;
      reward += w * r;
      kl += w * Math.log(own.length * w);
    });
  }
  return { kl: kl / rewards.length, reward: reward / rewards.length };
}

/** The KL beyond which N responses say too little: one nat below log N, where all weight would rest on one of them. */
export const trustedKl = (responses: number): number => Math.max(0, Math.log(responses) - 1);

/** From KL 0 to the largest that can be trusted, ascending. */
export function frontierOf(rewards: readonly (readonly number[])[]): Point[] {
  const limit = trustedKl(Math.min(...rewards.map(({ length }) => length)));
  const all = rewards.flat();
  const range = Math.max(...all) - Math.min(...all) || 1;
  const points: Point[] = [{ kl: 0, reward: tilted(rewards, Number.POSITIVE_INFINITY).reward }];
  // λ falls by a tenth from where it hardly tilts.
  for (let lambda = 10 * range; lambda > 1e-4 * range; lambda *= 0.9) {
    const point = tilted(rewards, lambda);
    if (point.kl > limit) break;
    points.push(point);
  }
  return points;
}

/** Reward at a KL, linear between neighbours; beyond the last point that of the last point, which is then a lower bound. */
export function rewardAt(frontier: readonly Point[], kl: number): number {
  const next = frontier.findIndex((point) => point.kl >= kl);
  if (next === -1) return frontier.at(-1)!.reward;
  if (next === 0) return frontier[0]!.reward;
  const [a, b] = [frontier[next - 1]!, frontier[next]!];
  return a.reward + ((kl - a.kl) / (b.kl - a.kl)) * (b.reward - a.reward);
}
