// How many pairs binarize makes at most.
import type { EstimateRun } from "../../engine/index.ts";
import { responsesIn } from "../judge/estimate.ts";
import type { BinarizeParams } from "./run.ts";

export const estimate: EstimateRun<BinarizeParams> = async ({ params, inputs }) => {
  const found = await responsesIn(inputs.data![0]!);
  return found ? { facts: { rows: params.pairs === "all" ? found.pairs : found.rows } } : {};
};
