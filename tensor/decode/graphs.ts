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

/** Inputs p/, ids [B,T], last [B] (row of the last prompt token in B·T) → logprobs [B,V], normalizer [B,1] and the caches. */
export function prefillGraph(config: ModelConfig, B: number, T: number): Graph {
  const b = new Builder();
  const model = modelIn(b, config);
  const { hidden, caches } = model.prefill(b.input("ids", [B, T], "i32"), b.input("last", [B], "i32"));
  return b.finish({ ...distribution(b, model.head(hidden)), ...caches });
}

/** logits [B,V] → log-probabilities [B,V] and what was subtracted from each logit, [B,1]. */
function distribution(b: Builder, logits: Value) {
  const logprobs = b.logSoftmax(logits);
  return { logprobs, normalizer: b.sub(b.slice(logits, 1, 0, 1), b.slice(logprobs, 1, 0, 1)) };
}

/**
 * Inputs p/, ids [B], positions [B], caches [B,heads,slots,width] of S own slots and as many source slots as given →
 * logprobs [B,V], normalizer [B,1] and the own caches with this token in its slot.
 */
export function stepGraph(config: ModelConfig, B: number, S: number, sourceSlots = 0): Graph {
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
  return b.finish({ ...distribution(b, model.head(hidden)), ...caches });
}
