// Estimates dpo_ranking from the rankings that it would train on, or as if each were of two responses as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import { type RankedResponses, readRankings } from "../reward/rankings.ts";
import {
  longestOf,
  modelOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
  withReference,
} from "../training/estimate.ts";
import { batchOf, lossOf } from "./objective.ts";
import type { DpoRankingParams } from "./run.ts";

export const estimate: EstimateRun<DpoRankingParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const found =
    dir === undefined || !model.shell
      ? undefined
      : (await readRankings({ dir, node: data!.node }, model.shell, params.max_length)).rankings;
  const K = found ? Math.max(...found.map(({ ranks }) => ranks.length)) : 2;
  const about = geometry(model.config);
  const limit = longestOf(model, params.max_length);
  const example = { ids: Array<number>(limit).fill(0), mask: Array<boolean>(limit).fill(true) };
  const rows = found?.length ?? rowsOf(data!);
  const { note, ...estimate } = trainingEstimate<RankedResponses>({
    params,
    model,
    loss: lossOf(params.beta),
    bound: found === undefined,
    longest: {
      sequences: [],
      examples: Array(K).fill(example),
      ranks: Array.from({ length: K }, (_, i) => i + 1),
    },
    rows,
    examples: found,
    length: ({ examples }) => Math.max(...examples.map(({ ids }) => ids.length)),
    batch: (chosen, size) => batchOf(chosen, [], { K, size, of: chosen.length, geometry: about }),
  });
  const notes = [note, found ? undefined : "and every ranking two responses"].filter((part) => part);
  return {
    ...withReference(estimate, params, rows),
    ...(notes.length > 0 && { note: notes.join(", ") }),
  };
};
