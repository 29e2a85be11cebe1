// Estimates dpo from the pairs that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import {
  longestOf,
  modelOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
  withReference,
} from "../training/estimate.ts";
import { lossOf, referenceFree } from "./losses.ts";
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
  return referenceFree(params.loss) ? estimate : withReference(estimate, params, rows);
};
