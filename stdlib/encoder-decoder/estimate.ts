// What is known of a fresh T5: everything but its tokenizer's words.
import type { EstimateRun } from "../../engine/index.ts";
import { loadTokenizer } from "../../tensor/io/index.ts";
import { modelBytes, modelFacts } from "../training/estimate.ts";
import { type EncoderDecoderParams, freshConfig } from "./config.ts";

export const estimate: EstimateRun<EncoderDecoderParams> = async ({ params, inputs }) => {
  const [tokenizer] = inputs.tokenizer!;
  const dir = await tokenizer!.open();
  const size = dir === undefined ? tokenizer!.facts.vocab_size : (await loadTokenizer(dir)).vocabSize;
  if (typeof size !== "number") return { note: `the vocabulary of ${tokenizer!.node} is not known yet` };
  const config = freshConfig(params, size + params.extra_ids, 0);
  return { facts: modelFacts(config), cost: { disk: modelBytes(config) } };
};
