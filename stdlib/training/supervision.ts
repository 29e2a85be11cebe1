// How a loss reads its supervised tokens: through a mask, or as a list of rows where computing every logit would be waste.
import {
  type Builder,
  crossEntropy,
  type HostTensor,
  type Model,
  sequenceLogprobs,
  sourceOf,
  sumPerSequence,
  supervisedRows,
  type Value,
} from "../../tensor/index.ts";

type Inputs = Readonly<Record<string, Value>>;

/** From this many tokens on, the head costs more than picking rows for it. */
const large = 4096;

/** What a batch has beside `ids` so that the functions below find the supervised tokens. */
export function supervision(
  ids: HostTensor<Int32Array>,
  mask: HostTensor<Float32Array>,
  vocabulary: number,
): Record<string, HostTensor> {
  if (vocabulary < large) return { mask };
  // Numbers of rows come in quarters of all positions, so that few shapes are compiled.
  const [B, T] = ids.shape as [number, number];
  return { ...supervisedRows(ids, mask, Math.max(64, Math.ceil((B * T) / 4))) };
}

/** Negative log-likelihood of the supervised tokens over `tokens` [], the count of the whole batch, []. */
export function meanLoss(b: Builder, model: Model, inputs: Inputs): Value {
  const { ids, mask, rows, targets, weights, tokens } = inputs;
  const source = sourceOf(model, inputs);
  return mask
    ? crossEntropy(b, model.tokenLogprobs(ids!, source), mask, tokens)
    : crossEntropy(b, model.logprobsAt(ids!, rows!, targets!, source), weights!, tokens);
}

/** Log-probability of the supervised tokens per row in nats, [B]. */
export function rowSums(b: Builder, model: Model, inputs: Inputs): Value {
  const { ids, mask, rows, targets, weights, sequence } = inputs;
  if (mask) return sequenceLogprobs(b, model.tokenLogprobs(ids!), mask);
  const logprobs = model.logprobsAt(ids!, rows!, targets!);
  return sumPerSequence(b, logprobs, weights!, sequence!, ids!.shape[0]!);
}
