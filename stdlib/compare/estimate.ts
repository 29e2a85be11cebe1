// Estimates compare: both models answer the prompts; scoring them for the KL is small beside that.
import type { EstimateRun } from "../../engine/index.ts";
import { samplingEstimate } from "../generate/estimate.ts";
import type { CompareParams } from "./run.ts";

export const estimate: EstimateRun<CompareParams> = ({ params, inputs }) =>
  samplingEstimate([...inputs.model!, ...inputs.baseline!], inputs.prompts![0]!, params);
