// Runs RLOO: the loop of PPO with leave-one-out advantages.
import type { StageRun } from "../../engine/index.ts";
import { leavingOneOut } from "../ppo/estimate.ts";
import type { GroupParams } from "../ppo/params.ts";
import { fixedKl, trainPolicy } from "../ppo/train.ts";

export const rloo: StageRun<GroupParams> = {
  run: (ctx) =>
    trainPolicy(ctx, {
      samples: ctx.params.samples,
      estimate: leavingOneOut(ctx.params.samples),
      aggregation: ctx.params.aggregation,
      klInLoss: false,
      control: fixedKl,
    }),
};
