// Builds the two graphs of decoding: whole prompts at once, then one token per row against a cache.

import { Builder } from "../ir/builder.ts";
import type { Graph, Value } from "../ir/graph.ts";
import { dimensions, type LlamaConfig, parameterShapes } from "../models/config.ts";
import { type LayerCache, llama } from "../models/llama.ts";

function weights(b: Builder, config: LlamaConfig): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => [name, b.input(`p/${name}`, shape)]),
  );
}

function withCaches(outputs: Record<string, Value>, caches: readonly LayerCache[]): Record<string, Value> {
  caches.forEach(({ k, v }, i) => {
    outputs[`k${i}`] = k;
    outputs[`v${i}`] = v;
  });
  return outputs;
}

/** Inputs p/, ids [B,T], last [B] (row of the last prompt token in B·T) → logprobs [B,V], k0 v0 … [B,K,T,d]. */
export function prefillGraph(config: LlamaConfig, B: number, T: number): Graph {
  const b = new Builder();
  const model = llama(b, config, weights(b, config));
  const { hidden, caches } = model.prefill(b.input("ids", [B, T], "i32"));
  const rows = b.gatherRows(hidden, b.input("last", [B], "i32"));
  return b.finish(withCaches({ logprobs: b.logSoftmax(model.head(rows)) }, caches));
}

/** Inputs p/, ids [B], positions [B], k0 v0 … [B,K,S,d] → logprobs [B,V], k0 v0 … of this token [B,K,1,d]. */
export function stepGraph(config: LlamaConfig, B: number, S: number): Graph {
  const b = new Builder();
  const { kvHeads, headDim } = dimensions(config);
  const model = llama(b, config, weights(b, config));
  const caches = Array.from({ length: config.num_hidden_layers }, (_, i) => ({
    k: b.input(`k${i}`, [B, kvHeads, S, headDim]),
    v: b.input(`v${i}`, [B, kvHeads, S, headDim]),
  }));
  const { hidden, caches: own } = model.step(
    b.input("ids", [B], "i32"),
    b.input("positions", [B], "i32"),
    caches,
  );
  return b.finish(withCaches({ logprobs: b.logSoftmax(model.head(hidden)) }, own));
}
