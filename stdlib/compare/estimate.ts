// Estimates compare: both models answer the prompts, and an assistant sees every two answers in both orders; scoring for the KL is
// small beside that.
import type { EstimateRun } from "../../engine/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { rowsIn, samplingEstimate } from "../generate/estimate.ts";
import { inTurn } from "../training/estimate.ts";
import type { CompareParams } from "./run.ts";

export const estimate: EstimateRun<CompareParams> = async ({ params, inputs }) => {
  const [prompts] = inputs.prompts!;
  const sampling = await samplingEstimate([...inputs.model!, ...inputs.baseline!], prompts!, params);
  const rows = await rowsIn(prompts!);
  if (!sampling.cost || rows === undefined || !(await isAsked(inputs.judge![0]!))) return sampling;
  return { ...sampling, cost: inTurn([sampling.cost, { questions: 2 * rows * params.samples }]) };
};
