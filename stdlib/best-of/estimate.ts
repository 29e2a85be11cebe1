// Estimates best_of: the model answers every prompt n times, and a reward model beside it reads every answer.
import type { EstimateRun } from "../../engine/index.ts";
import { parameterCount } from "../../tensor/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { samplingEstimate } from "../generate/estimate.ts";
import { trunkOf } from "../reward/reward-model.ts";
import { modelBytes, modelOf, rowsOf } from "../training/estimate.ts";
import type { BestOfParams } from "./run.ts";

export const estimate: EstimateRun<BestOfParams> = async ({ params, inputs }) => {
  const { n, keep, max_new_tokens } = params;
  const prompts = inputs.prompts![0]!;
  const sampling = await samplingEstimate(inputs.model!, prompts, { samples: n, max_new_tokens });
  const rows = rowsOf(prompts);
  const facts = rows === undefined ? {} : { facts: { rows: keep * rows } };
  const { cost } = sampling;
  if (cost && rows !== undefined && (await isAsked(inputs.by![0]!)))
    return { ...sampling, ...facts, cost: { ...cost, questions: n * rows } };
  // Judges of other kinds take what they take.
  const judge = await modelOf(inputs.by![0]!).catch(() => undefined);
  if (!judge || !cost) return { ...sampling, ...facts };
  const trunk = trunkOf(judge.config);
  return {
    ...sampling,
    ...facts,
    cost: {
      ...cost,
      // Two operations for each weight and token.
      flops: cost.flops! + 2 * parameterCount(trunk) * cost.tokens!,
      memory: cost.memory! + modelBytes(trunk),
    },
  };
};
