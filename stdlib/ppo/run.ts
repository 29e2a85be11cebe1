// Runs PPO: the loop with a value function and generalised advantage estimation.
import type { OutputContext, RunResult, StageRun } from "../../engine/index.ts";
import type { KlControl } from "../../tensor/index.ts";
import { type GaeParams, withValues } from "./estimate.ts";
import type { PolicyParams } from "./params.ts";
import { trainPolicy } from "./train.ts";

export interface PpoParams extends PolicyParams, GaeParams {
  readonly kl_control: KlControl["kind"];
  readonly kl_target: number;
  readonly kl_horizon: number;
  readonly value_init?: "reward" | "policy" | "shared";
  readonly value_learning_rate: number;
  readonly value_clip: number;
  readonly value_coef: number;
}

export const ppo: StageRun<PpoParams> = {
  run(ctx: OutputContext<PpoParams>): Promise<RunResult> {
    const { params } = ctx;
    return trainPolicy(ctx, {
      samples: 1,
      estimate: withValues(params),
      aggregation: "token_mean",
      klInLoss: false,
      control: { kind: params.kl_control, target: params.kl_target, horizon: params.kl_horizon },
      value: {
        init: params.value_init,
        learning_rate: params.value_learning_rate,
        coef: params.value_coef,
        clip: params.value_clip > 0 ? params.value_clip : undefined,
      },
    });
  },
};
