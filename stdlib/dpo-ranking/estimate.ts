// Estimates dpo_ranking from the rankings that it would train on, or as if each were of two responses as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { type RankedResponses, readRankings } from "../reward/rankings.ts";
import { learning, trainingEstimate, withReference } from "../training/estimate.ts";
import { batchOf, lossOf } from "./objective.ts";
import type { DpoRankingParams } from "./run.ts";

export const estimate: EstimateRun<DpoRankingParams> = (ctx) =>
  learning<RankedResponses>(
    ctx,
    async (...from) => (await readRankings(...from)).rankings,
    ({ full, about, ...known }) => {
      const { params } = ctx;
      const K = known.examples ? Math.max(...known.examples.map(({ ranks }) => ranks.length)) : 2;
      const { note, ...estimate } = trainingEstimate<RankedResponses>({
        ...known,
        params,
        loss: lossOf(params.beta),
        longest: {
          sequences: [],
          examples: Array(K).fill(full),
          ranks: Array.from({ length: K }, (_, i) => i + 1),
        },
        length: ({ examples }) => Math.max(...examples.map(({ ids }) => ids.length)),
        batch: (chosen, size) => batchOf(chosen, [], { K, size, of: chosen.length, geometry: about }),
      });
      const notes = [note, known.bound ? "and every ranking two responses" : undefined].filter(
        (part) => part,
      );
      return {
        ...withReference(estimate, params, known.rows),
        ...(notes.length > 0 && { note: notes.join(", ") }),
      };
    },
  );
