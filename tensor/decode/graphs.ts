// Builds the two graphs of decoding: whole prompts at once, then one token per row against a cache.

import { Builder } from "../ir/builder.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { geometry, type ModelConfig, parameterShapes } from "../models/config.ts";
import { buildModel } from "../models/model.ts";

function modelIn(b: Builder, config: ModelConfig) {
  const weights = Object.entries(parameterShapes(config)).map(([name, shape]): [string, Value] => [
    name,
    b.input(`p/${name}`, shape),
  ]);
  return buildModel(b, config, Object.fromEntries(weights));
}

/** What a graph of decoding gives beside log-probabilities: with `draws` also the weights that tokens are drawn by. */
export interface DecodingGraph {
  readonly draws?: boolean;
}

/**
 * Inputs p/, ids [B,T], last [B] (row of the last prompt token in B·T) → logprobs [B,V], normalizer [B,1] and the caches;
 * with `draws` also inverse_temperature [B,1] → weights [B,V], p^(1/temperature), of sum 1.
 */
export function prefillGraph(
  config: ModelConfig,
  B: number,
  T: number,
  { draws = false }: DecodingGraph = {},
): Graph {
  const b = new Builder();
  const model = modelIn(b, config);
  const { hidden, caches } = model.prefill(b.input("ids", [B, T], "i32"), b.input("last", [B], "i32"));
  return b.finish({ ...distribution(b, model.head(hidden), draws), ...caches });
}

/** logits [B,V] → log-probabilities [B,V], what was subtracted from each logit, [B,1], and the weights. */
function distribution(b: Builder, logits: Value, draws: boolean) {
  const logprobs = b.logSoftmax(logits);
  const normalizer = b.sub(b.slice(logits, 1, 0, 1), b.slice(logprobs, 1, 0, 1));
  if (!draws) return { logprobs, normalizer };
  const sharpness = b.input("inverse_temperature", [logits.shape[0]!, 1]);
  return { logprobs, normalizer, weights: b.softmax(b.mul(logprobs, sharpness)) };
}

/**
 * Inputs p/, ids [B], positions [B], caches [B,heads,slots,width] of S own slots and as many source slots as given →
 * logprobs [B,V], normalizer [B,1] and the own caches with this token in its slot; `draws` as in prefillGraph.
 */
export function stepGraph(
  config: ModelConfig,
  B: number,
  S: number,
  { draws = false, sourceSlots = 0 }: DecodingGraph & { readonly sourceSlots?: number } = {},
): Graph {
  const b = new Builder();
  const model = modelIn(b, config);
  const before = geometry(config).cache.map(({ name, heads, width, slots }): [string, Value] => [
    name,
    b.input(name, [B, heads, slots === "own" ? S : sourceSlots, width]),
  ]);
  const { hidden, caches } = model.step(
    b.input("ids", [B], "i32"),
    b.input("positions", [B], "i32"),
    Object.fromEntries(before),
  );
  return b.finish({ ...distribution(b, model.head(hidden), draws), ...caches });
}
