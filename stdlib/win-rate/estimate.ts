// Estimates win_rate: an assistant sees every two responses in both orders.
import type { EstimateRun } from "../../engine/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { rowsIn } from "../generate/estimate.ts";

export const estimate: EstimateRun<unknown> = async ({ inputs }) => {
  if (!(await isAsked(inputs.judge![0]!))) return {};
  const sides = [await rowsIn(inputs.responses![0]!), await rowsIn(inputs.baseline![0]!)];
  const known = sides.filter((rows) => rows !== undefined);
  // Prompts that only one of them has are left out.
  return known.length === 0
    ? { note: `how many responses ${inputs.responses![0]!.node} will have is not known yet` }
    : { cost: { questions: 2 * Math.min(...known) } };
};
