// A reward model as a judge: texts are encoded as in its training and scored at their end.

import { checkedScore, type Judge, type Resources } from "../judge/judges.ts";
import { encodeResponses, plainText } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { openRewardModel } from "./reward-model.ts";
import { openSequenceScorer } from "./score.ts";

export async function openRewardJudge(dir: string, resources: Resources): Promise<Judge> {
  const model = await openRewardModel({ dir, node: "the reward model" });
  const scorer = openSequenceScorer(await openBackend(resources), model);
  const max_length = model.geometry.maxLength;
  return {
    kind: "reward model",
    async score({ prompt, response }) {
      const read = model.tokenizer.chatTemplate === undefined ? plainText(prompt, "prompt") : prompt;
      const [example] = encodeResponses({ prompt: read }, [response], model.tokenizer, { max_length });
      const [score] = await scorer.score([example!.ids]);
      return checkedScore(score, "the reward model");
    },
  };
}
