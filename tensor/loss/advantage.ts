// Advantages of sampled responses on the host: per token by GAE, or per response against the others of its group.

/** Sums of two passes, so that the mean of equal numbers is that number. */
function moments(values: readonly number[]): { mean: number; std: number } {
  const n = values.length;
  const mean = values.reduce((s, x) => s + x, 0) / n;
  const squares = values.reduce((s, x) => s + (x - mean) ** 2, 0);
  return { mean, std: n > 1 ? Math.sqrt(squares / (n - 1)) : 0 };
}

/** Rewards of the tokens of one response: -β·kl_t, and the score on the last token. */
export function tokenRewards(kl: readonly number[], score: number, beta: number): number[] {
  return kl.map((x, t) => (t === kl.length - 1 ? score : 0) - beta * x);
}

/**
 * Generalised advantage estimation (https://arxiv.org/abs/1506.02438) over the tokens of one response:
 * δ_t = r_t + γ V_{t+1} - V_t with V = 0 after the last token, A_t = δ_t + γλ A_{t+1}; returns = A + V.
 */
export function gae(
  rewards: readonly number[],
  values: readonly number[],
  { gamma, lambda }: { readonly gamma: number; readonly lambda: number },
): { advantages: number[]; returns: number[] } {
  const advantages = new Array<number>(rewards.length);
  let next = 0;
  for (let t = rewards.length - 1; t >= 0; t--) {
    const delta = rewards[t]! + gamma * (values[t + 1] ?? 0) - values[t]!;
    next = delta + gamma * lambda * next;
    advantages[t] = next;
  }
  return { advantages, returns: advantages.map((a, t) => a + values[t]!) };
}

/**
 * (x - mean) / √(variance + 1e-8) over all numbers of all rows, the variance unbiased (lm-human-preferences, TRL, verl).
 * Without `shiftMean` the mean is added back, as rewards are whitened.
 */
export function whiten(rows: readonly (readonly number[])[], shiftMean = true): number[][] {
  const { mean, std } = moments(rows.flat());
  const scale = 1 / Math.sqrt(std ** 2 + 1e-8);
  return rows.map((row) => row.map((x) => (x - mean) * scale + (shiftMean ? 0 : mean)));
}

/** Each reward minus the mean of the others in its group (RLOO, https://arxiv.org/abs/2402.14740). */
export function leaveOneOut(rewards: readonly number[]): number[] {
  const total = rewards.reduce((s, x) => s + x, 0);
  return rewards.map((r) => (rewards.length < 2 ? 0 : r - (total - r) / (rewards.length - 1)));
}

/** (reward - mean) / (std + eps) of its group (GRPO, https://arxiv.org/abs/2402.03300); without `scale` the mean alone (Dr. GRPO). */
export function groupRelative(
  rewards: readonly number[],
  { eps = 1e-4, scale = true }: { readonly eps?: number; readonly scale?: boolean } = {},
): number[] {
  const { mean, std } = moments(rewards);
  return rewards.map((r) => (r - mean) / (scale ? std + eps : 1));
}

/** 1 - Var(returns - values) / Var(returns); 0 where the returns do not vary. */
export function explainedVariance(values: readonly number[], returns: readonly number[]): number {
  const { std } = moments(returns);
  if (!(std > 0)) return 0;
  return 1 - moments(returns.map((r, i) => r - values[i]!)).std ** 2 / std ** 2;
}
