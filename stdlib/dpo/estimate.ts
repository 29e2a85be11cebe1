// Estimates dpo from the pairs that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import {
  longestOf,
  modelOf,
  passesOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
} from "../training/estimate.ts";
import { lossOf } from "./losses.ts";
import { batchOf, type Pair, readPairs } from "./pairs.ts";
import type { DpoParams } from "./run.ts";

export const estimate: EstimateRun<DpoParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const about = geometry(model.config);
  const limit = longestOf(model, params.max_length);
  const example = { ids: Array<number>(limit).fill(0), mask: Array<boolean>(limit).fill(true) };
  const found =
    dir === undefined || !model.shell
      ? undefined
      : await readPairs({ dir, node: data!.node }, model.shell, params.max_length);
  const rows = found?.length ?? rowsOf(data!);
  const estimate = trainingEstimate<Pair>({
    params,
    model,
    loss: lossOf(params),
    bound: found === undefined,
    longest: { chosen: example, rejected: example },
    rows,
    examples: found,
    length: ({ chosen, rejected }) => Math.max(chosen.ids.length, rejected.ids.length),
    batch: (chosen, size) => batchOf(chosen, [], { size, of: chosen.length, geometry: about }),
  });
  // The reference reads every pair once; a training step costs about three such passes.
  const { flops } = estimate.cost ?? {};
  const passes = passesOf(params, rows);
  return flops === undefined || passes === undefined
    ? estimate
    : { ...estimate, cost: { ...estimate.cost, flops: flops * (1 + 1 / (3 * passes)) } };
};
