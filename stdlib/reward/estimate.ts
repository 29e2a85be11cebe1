// Estimates reward from the comparisons that it would learn from, or as if each were of two responses as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { learning, trainingEstimate } from "../training/estimate.ts";
import { batchOf, objectiveOf } from "./objective.ts";
import { pairsOf, type RankedResponses, readRankings } from "./rankings.ts";
import { SCORE, trunkOf } from "./reward-model.ts";
import type { RewardParams } from "./run.ts";

export const estimate: EstimateRun<RewardParams> = (ctx) =>
  learning<RankedResponses>(
    ctx,
    async (...from) => {
      const { rankings } = await readRankings(...from);
      return ctx.params.loss === "pairwise" ? rankings.flatMap(pairsOf) : rankings;
    },
    ({ full, about, model, ...known }) => {
      const { params } = ctx;
      const K = known.examples ? Math.max(...known.examples.map(({ ranks }) => ranks.length)) : 2;
      const { note, ...estimate } = trainingEstimate<RankedResponses>({
        ...known,
        params,
        model: { ...model, config: trunkOf(model.config) },
        loss: objectiveOf(params, K),
        extra: { [SCORE]: [1, about.hiddenSize] },
        longest: {
          sequences: Array(K).fill(full.ids),
          examples: [],
          ranks: Array.from({ length: K }, (_, i) => i + 1),
        },
        length: ({ sequences }) => Math.max(...sequences.map(({ length }) => length)),
        batch: (chosen, size) => batchOf(chosen, { K, size, of: chosen.length, limit: about.maxLength }),
      });
      const notes = [note, known.bound ? "and every comparison two responses" : undefined].filter(
        (part) => part,
      );
      return { ...estimate, ...(notes.length > 0 && { note: notes.join(", ") }) };
    },
  );
