// What scoring continuations will cost before it begins: operations, weights read, and memory, read off the graphs that it will run.

import type { DecodingCost } from "../decode/estimate.ts";
import { hollow, isLarge } from "../host.ts";
import { Builder } from "../ir/builder.ts";
import { flopsOf, peakBytes } from "../ir/cost.ts";
import { type Graph, reachable } from "../ir/graph.ts";
import { optimize } from "../ir/passes/optimize.ts";
import { geometry, type ModelConfig, parameterCount, parameterShapes } from "../models/config.ts";
import { buildModel } from "../models/model.ts";
import { IDLE_BYTES, NODE_BYTES } from "../train/estimate.ts";
import { type ContinuationItem, type ContinuationOptions, type Pass, passesOf } from "./passes.ts";

export interface ScoringCost extends DecodingCost {
  /** Places for tokens, padding and all. */
  readonly tokens: number;
}

/** Of `portions` that are scored one after the other by one scorer, which keeps a compiled program for every shape. */
export function scoringCost(
  config: ModelConfig,
  portions: Iterable<readonly ContinuationItem[]>,
  options: ContinuationOptions = {},
): ScoringCost {
  const shapes = new Map<string, { readonly graph: Graph; times: number; readonly tokens: number }>();
  for (const items of portions) {
    for (const pass of passesOf(items, geometry(config), options)) {
      const { ids, rows, source } = pass;
      const key = [ids, rows, source?.ids].map((x) => x?.shape.join()).join(";");
      const found = shapes.get(key);
      if (found) found.times++;
      else {
        const tokens = ids.data.length + (source?.ids.data.length ?? 0);
        shapes.set(key, { graph: optimize(graphOf(config, pass)), times: 1, tokens });
      }
    }
  }
  const all = [...shapes.values()];
  const total = (of: (shape: (typeof all)[number]) => number) => all.reduce((sum, x) => sum + of(x), 0);
  const weights = 4 * parameterCount(config);
  const peaks = all.map(({ graph }) => peakBytes(graph));
  const nodes = total(({ graph }) => reachable(Object.values(graph.outputs)).length * NODE_BYTES);
  // As in training: programs of large models give their memory back, others keep it, once as it grew and once as planned.
  const working = isLarge(hollow(parameterShapes(config)))
    ? Math.max(0, ...peaks)
    : 2 * peaks.reduce((a, b) => a + b, 0);
  return {
    flops: total(({ graph, times }) => times * flopsOf(graph)),
    traffic: total(({ times }) => times) * weights,
    tokens: total(({ tokens, times }) => times * tokens),
    memory: IDLE_BYTES + weights + nodes + working,
  };
}

function graphOf(config: ModelConfig, { ids, rows, targets, source }: Pass): Graph {
  const b = new Builder();
  const params = Object.entries(parameterShapes(config)).map(
    ([name, shape]) => [name, b.input(`p/${name}`, shape)] as const,
  );
  const model = buildModel(b, config, Object.fromEntries(params));
  const encoded =
    source &&
    model.encode(b.input("source", source.ids.shape, "i32"), b.input("source_mask", source.mask.shape));
  const [at, wanted] = [b.input("rows", rows.shape, "i32"), b.input("targets", targets.shape, "i32")];
  return b.finish({ logprobs: model.logprobsAt(b.input("ids", ids.shape, "i32"), at, wanted, encoded) });
}
