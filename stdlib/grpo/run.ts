// Runs GRPO: the loop of PPO with group-relative advantages and the KL in the loss.
import type { StageRun } from "../../engine/index.ts";
import { relativeToGroup } from "../ppo/estimate.ts";
import type { GroupParams } from "../ppo/params.ts";
import { fixedKl, trainPolicy } from "../ppo/train.ts";

export const grpo: StageRun<GroupParams & { readonly scale_rewards: boolean }> = {
  run: (ctx) =>
    trainPolicy(ctx, {
      samples: ctx.params.samples,
      estimate: relativeToGroup(ctx.params.samples, ctx.params.scale_rewards),
      aggregation: ctx.params.aggregation,
      klInLoss: true,
      control: fixedKl,
    }),
};
