// What gives a response its score: a reward model on the tokens themselves, or any judge on the text.
import { type Artifact, type TaskContext, TaskError } from "../../engine/index.ts";
import type { Backend } from "../../tensor/index.ts";
import { inOrder } from "../assistant/in-order.ts";
import { openJudge } from "../judge/index.ts";
import { isRewardModel, type OpenRewardModel, openRewardModel } from "../reward/reward-model.ts";
import { openSequenceScorer } from "../reward/score.ts";
import { checkTokenizers, type OpenModel } from "../training/model.ts";
import type { Episode } from "./episode.ts";

export interface RewardSource {
  score(episodes: readonly Episode[]): Promise<number[]>;
  /** The model behind it, from which a value function may start. */
  readonly model?: OpenRewardModel;
  dispose(): Promise<void>;
}

export async function openReward(
  ctx: Pick<TaskContext, "threads" | "device" | "signal">,
  backend: Backend,
  source: Artifact,
  policy: OpenModel,
): Promise<RewardSource> {
  if (!(await isRewardModel(source.dir).catch(() => false))) {
    const judge = await openJudge(source, ctx);
    return {
      async score(episodes) {
        const ask = ({ prompt, text: response, row }: Episode) => judge.score({ prompt, response, row });
        const scores: number[] = [];
        for await (const { score } of inOrder(episodes, judge.concurrency ?? 1, ask)) scores.push(score);
        return scores;
      },
      dispose: async () => judge.dispose?.(),
    };
  }
  const model = await openRewardModel(source);
  checkTokenizers(`the reward model ${source.node}`, model, policy);
  const scorer = openSequenceScorer(backend, model);
  return {
    model,
    async score(episodes) {
      const scores = await scorer.score(episodes.map(({ promptIds, ids }) => [...promptIds, ...ids]));
      const bad = scores.findIndex((score) => !Number.isFinite(score));
      if (bad === -1) return scores;
      throw new TaskError({
        code: "score-not-finite",
        message: `the reward model ${source.node} gave ${scores[bad]} to the response ${JSON.stringify(episodes[bad]!.text)}`,
        help: "its training diverged: train it with a lower learning_rate",
      });
    },
    dispose: () => scorer.dispose(),
  };
}
