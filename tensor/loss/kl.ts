// Kullback-Leibler divergence between two next-token distributions, exact over the vocabulary.

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** log-softmaxes p and q [N,V] → KL(p‖q) = Σ_v p (log p - log q) per row in nats, [N]. */
export function fullKl(b: Builder, p: Value, q: Value): Value {
  return b.reshape(b.sum(b.mul(b.exp(p), b.sub(p, q)), [1]), [p.shape[0]!]);
}
