// Kullback-Leibler divergence between two policies: exact over the vocabulary, or estimated from the tokens that were drawn.

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** log-softmaxes p and q [N,V] → KL(p‖q) = Σ_v p (log p - log q) per row in nats, [N]. */
export function fullKl(b: Builder, p: Value, q: Value): Value {
  return b.reshape(b.sum(b.mul(b.exp(p), b.sub(p, q)), [1]), [p.shape[0]!]);
}

export type KlEstimator = "k1" | "k2" | "k3";

/**
 * Schulman's estimates of KL(π‖π_ref) from one token drawn from π, with d = log π - log π_ref (http://joschu.net/blog/kl-approx.html):
 * k1 = d is unbiased and may be negative; k2 = d²/2 is biased and low in variance; k3 = e^{-d} - 1 + d is unbiased and never negative.
 */
export function klEstimate(kind: KlEstimator, d: number): number {
  if (kind === "k1") return d;
  return kind === "k2" ? d ** 2 / 2 : Math.expm1(-d) + d;
}

/** The same in a graph, where the gradient flows through log π. */
export function klTerm(b: Builder, kind: KlEstimator, logprobs: Value, reference: Value): Value {
  const d = b.sub(logprobs, reference);
  if (kind === "k1") return d;
  return kind === "k2" ? b.mul(b.square(d), 0.5) : b.add(b.sub(b.exp(b.neg(d)), 1), d);
}
