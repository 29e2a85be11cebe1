// The value function: a trunk of its own that starts as the reward model or the policy, or a head on the policy's trunk.
import type { OutputContext } from "../../engine/index.ts";
import { type Backend, createEvaluator, type Params, tensor } from "../../tensor/index.ts";
import { type OpenRewardModel, SCORE, withScoreHead } from "../reward/reward-model.ts";
import type { OpenModel } from "../training/model.ts";
import { openSession, type Session } from "../training/session.ts";
import { type Episode, rowsOf, tokensOf } from "./episode.ts";
import { VALUE_BIAS, valueObjective, valuesOf } from "./losses.ts";
import type { PolicyParams } from "./params.ts";

export interface Critic extends Session {
  /** V(s_t) at the response tokens. */
  values(episodes: readonly Episode[]): Promise<number[][]>;
  dispose(): Promise<void>;
}

/** A head that says 0 everywhere, for a trunk that was not trained to score. */
export function freshValueHead(width: number): Params {
  return {
    [SCORE]: tensor(new Float32Array(width), [1, width]),
    [VALUE_BIAS]: tensor(new Float32Array(1), [1]),
  };
}

export function openCritic(
  ctx: OutputContext<PolicyParams>,
  backend: Backend,
  from: OpenModel | OpenRewardModel,
  clip: number | undefined,
): Critic {
  const model = "bias" in from ? scoring(from) : blank(from);
  // The policy's average and adapters are not the critic's.
  const { ema: _, lora: __, ...params } = ctx.params;
  const session = openSession({ params, out: ctx.out }, backend, model, valueObjective(clip));
  const evaluator = createEvaluator({
    backend,
    models: { value: { config: model.config, params: () => session.trainer.params() } },
    build: (b, { value }, { ids, rows }) => ({
      values: valuesOf(b, value!, value!.hiddenAt(ids!, rows!)),
    }),
  });
  const size = params.micro_batch_size ?? params.minibatch_size;
  return {
    ...session,
    async values(episodes) {
      const all: number[][] = [];
      for (let at = 0; at < episodes.length; at += size) {
        const chunk = episodes.slice(at, at + size);
        const { ids, rows } = tokensOf(chunk, size, model.geometry.maxLength);
        const { values } = await evaluator.run({ ids, rows });
        all.push(...rowsOf(values!.data, chunk));
      }
      return all;
    },
    async dispose() {
      await evaluator.dispose();
      await session.trainer.dispose();
    },
  };
}

/** As the paper has it: V starts as r, with the bias that centres it. */
const scoring = (from: OpenRewardModel): OpenModel => ({
  ...from,
  params: { ...from.params, [VALUE_BIAS]: tensor(Float32Array.of(from.bias), [1]) },
});

function blank(from: OpenModel): OpenModel {
  const width = from.geometry.hiddenSize;
  const headed = withScoreHead(from, new Float32Array(width));
  return { ...headed, params: { ...headed.params, ...freshValueHead(width) } };
}
