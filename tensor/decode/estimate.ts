// What decoding will cost before it begins: operations, weights read, and memory, read off the graphs that it will run.

import { flopsOf, peakBytes } from "../ir/cost.ts";
import { type Graph, reachable } from "../ir/graph.ts";
import { optimize } from "../ir/passes/optimize.ts";
import { geometry, type ModelConfig, parameterCount } from "../models/config.ts";
import { IDLE_BYTES, NODE_BYTES, type SessionCost } from "../train/estimate.ts";
import { prefillGraph, stepGraph } from "./graphs.ts";

export interface DecodingPlan {
  readonly config: ModelConfig;
  /** Rows decoded together, and how many in all. */
  readonly batch: number;
  readonly rows: number;
  /** Tokens. */
  readonly prompt: number;
  readonly max_new_tokens: number;
}

export interface DecodingCost extends SessionCost {
  /** Bytes of weights that pass through the processor: one set of them per token of a batch. */
  readonly traffic: number;
}

/** As if every row took all of max_new_tokens. */
export function decodingCost({ config, batch, rows, prompt, max_new_tokens }: DecodingPlan): DecodingCost {
  const about = geometry(config);
  const together = Math.min(batch, rows);
  const encodes = about.decoderStart !== undefined;
  const own = encodes ? 1 + max_new_tokens : prompt + max_new_tokens;
  const prefill = optimize(prefillGraph(config, together, prompt));
  const step = optimize(stepGraph(config, together, own, { sourceSlots: encodes ? prompt : 0 }));
  const rounds = rows / together;
  const weights = 4 * parameterCount(config);
  const cache = about.cache.reduce((sum, { heads, width, slots }) => {
    return sum + 4 * together * heads * width * (slots === "own" ? own : prompt);
  }, 0);
  const nodes = (graph: Graph) => reachable(Object.values(graph.outputs)).length * NODE_BYTES;
  return {
    flops: rounds * (flopsOf(prefill) + max_new_tokens * flopsOf(step)),
    traffic: rounds * (1 + max_new_tokens) * weights,
    memory:
      IDLE_BYTES +
      weights +
      2 * cache +
      nodes(prefill) +
      nodes(step) +
      2 * (peakBytes(prefill) + peakBytes(step)),
  };
}
