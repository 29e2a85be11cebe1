// A reward model as a judge: texts are encoded as in its training and scored at their end.

import { checkedScore, type Judge, type JudgeRequest, type Resources, type Score } from "../judge/judges.ts";
import { encodeResponses, plainText } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { openRewardModel } from "./reward-model.ts";
import { openSequenceScorer } from "./score.ts";

export async function openRewardJudge(dir: string, resources: Resources): Promise<Judge> {
  const model = await openRewardModel({ dir, node: "the reward model" });
  const scorer = openSequenceScorer(await openBackend(resources), model);
  const max_length = model.geometry.maxLength;
  const plain = model.tokenizer.chatTemplate === undefined;
  async function scoreAll(requests: readonly JudgeRequest[]): Promise<Score[]> {
    const sequences = requests.map(({ prompt, response }) => {
      const read = plain ? plainText(prompt, "prompt") : prompt;
      return encodeResponses({ prompt: read }, [response], model.tokenizer, { max_length })[0]!.ids;
    });
    return (await scorer.score(sequences)).map((score) => checkedScore(score, "the reward model"));
  }
  return {
    kind: "reward model",
    score: async (request) => (await scoreAll([request]))[0]!,
    scoreAll,
  };
}
