// Estimates dpo from the pairs that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { learning, trainingEstimate, withReference } from "../training/estimate.ts";
import { lossOf, referenceFree } from "./losses.ts";
import { batchOf, type Pair, readPairs } from "./pairs.ts";
import type { DpoParams } from "./run.ts";

export const estimate: EstimateRun<DpoParams> = (ctx) =>
  learning<Pair>(ctx, readPairs, ({ full, about, ...known }) => {
    const { params } = ctx;
    const estimate = trainingEstimate<Pair>({
      ...known,
      params,
      loss: lossOf(params),
      longest: { chosen: full, rejected: full },
      length: ({ chosen, rejected }) => Math.max(chosen.ids.length, rejected.ids.length),
      batch: (chosen, size) => batchOf(chosen, [], { size, of: chosen.length, geometry: about }),
    });
    return referenceFree(params.loss) ? estimate : withReference(estimate, params, known.rows);
  });
