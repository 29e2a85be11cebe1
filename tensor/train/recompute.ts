// Finds where one layer ends and the next begins, for activation recomputation (https://arxiv.org/abs/1604.06174).

import { reachable, type Value } from "../ir/graph.ts";
import { layerOf } from "./residual.ts";

/** The ids of the first node that reads a weight of each layer in turn, and of the first that reads what follows a stack. */
export function layerCuts(loss: Value): number[] {
  const cuts: number[] = [];
  let layer = -1;
  for (const { id, inputs } of reachable([loss])) {
    for (const { node } of inputs) {
      if (node.op !== "input" || !node.attrs.name.startsWith("p/")) continue;
      const at = layerOf(node.attrs.name.slice(2));
      if (at === layer || (at === undefined && layer < 0)) continue;
      cuts.push(id);
      layer = at ?? -1;
    }
  }
  return cuts;
}
