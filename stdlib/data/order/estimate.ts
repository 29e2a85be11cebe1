// How many rows are left at most.
import type { EstimateRun } from "../../../engine/index.ts";

export const upTo: EstimateRun<{ readonly n: number }> = ({ params, before }) => ({
  facts: { rows: Math.min(params.n, (before.rows as number | undefined) ?? params.n) },
});
