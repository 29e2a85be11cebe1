// Estimates reward from the comparisons that it would learn from, or as if each were of two responses as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import { longestOf, modelOf, rowsOf, trainingEstimate, unknownModel } from "../training/estimate.ts";
import { batchOf, objectiveOf } from "./objective.ts";
import { pairsOf, type RankedResponses, readRankings } from "./rankings.ts";
import { SCORE, trunkOf } from "./reward-model.ts";
import type { RewardParams } from "./run.ts";

export const estimate: EstimateRun<RewardParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const base = await modelOf(start!);
  if (!base) return unknownModel(start!);
  const model = { ...base, config: trunkOf(base.config) };
  const about = geometry(model.config);
  const dir = await data!.open();
  const read =
    dir === undefined || !model.shell
      ? undefined
      : (await readRankings({ dir, node: data!.node }, model.shell, params.max_length)).rankings;
  const found = params.loss === "pairwise" ? read?.flatMap(pairsOf) : read;
  const K = found ? Math.max(...found.map(({ ranks }) => ranks.length)) : 2;
  const ids = Array<number>(longestOf(model, params.max_length)).fill(0);
  const longest: RankedResponses = {
    sequences: Array<number[]>(K).fill(ids),
    examples: [],
    ranks: Array.from({ length: K }, (_, i) => i + 1),
  };
  const { note, ...estimate } = trainingEstimate<RankedResponses>({
    params,
    model,
    loss: objectiveOf(params, K),
    extra: { [SCORE]: [1, about.hiddenSize] },
    bound: found === undefined,
    longest,
    rows: found?.length ?? rowsOf(data!),
    examples: found,
    length: ({ sequences }) => Math.max(...sequences.map(({ length }) => length)),
    batch: (chosen, size) => batchOf(chosen, { K, size, of: chosen.length, limit: about.maxLength }),
  });
  const notes = [note, found ? undefined : "and every comparison two responses"].filter((part) => part);
  return { ...estimate, ...(notes.length > 0 && { note: notes.join(", ") }) };
};
