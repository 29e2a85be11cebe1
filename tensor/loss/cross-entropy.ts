// Next-token cross-entropy over the tokens that a mask supervises.

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/**
 * logprobs [B,T] in nats, mask [B,T] of 0 and 1 (or weights) → mean negative log-likelihood in nats per supervised token, [].
 * `tokens` [] divides instead of the mask's own sum: with micro-batches it is the count of the whole batch,
 * so that k accumulated pieces equal one big batch.
 */
export function crossEntropy(b: Builder, logprobs: Value, mask: Value, tokens?: Value): Value {
  const total = b.neg(b.sum(b.mul(logprobs, mask)));
  return b.div(total, tokens ?? b.maximum(b.sum(mask), 1));
}

/** logprobs [B,T], mask [B,T] → log-probability of each masked sequence in nats, [B]. */
export function sequenceLogprobs(b: Builder, logprobs: Value, mask: Value): Value {
  return b.reshape(b.sum(b.mul(logprobs, mask), [1]), [logprobs.shape[0]!]);
}
