// Makes a fresh T5: the tokenizer with its sentinels, configuration from the parameters, weights from a named stream.
import { type ModelRun, type OutputContext, type RunResult, TaskError } from "../../engine/index.ts";
import { loadTokenizer, withSpecialTokens } from "../../tensor/io/index.ts";
import { writeFresh } from "../training/fresh.ts";
import { type EncoderDecoderParams, freshConfig, rest, sentinels } from "./config.ts";

export const encoderDecoder: ModelRun<EncoderDecoderParams> = { run };

async function run({ params, inputs, out }: OutputContext<EncoderDecoderParams>): Promise<RunResult> {
  const [given] = inputs.tokenizer!;
  const tokenizer = await loadTokenizer(given!.dir);
  const extra = sentinels(params);
  if (extra.some((token) => tokenizer.id(token) !== undefined)) {
    throw new TaskError({
      code: "sentinels-twice",
      message: `the tokenizer ${given!.node} has sentinels (\`${extra.at(-1)}\`) already`,
      help: "set `extra_ids: 0` to keep those, or leave them out of the tokenizer",
    });
  }
  // T5 begins its decoder with the padding token.
  const start = tokenizer.pad ?? tokenizer.eos;
  if (start === undefined) {
    throw new TaskError({
      code: "no-pad-token",
      message: `the tokenizer ${given!.node} names neither a pad_token nor an eos_token, so a decoder has nothing to begin with`,
      help: "name one in tokenizer_config.json",
    });
  }
  const special = { eos_token_id: tokenizer.eos ?? null, pad_token_id: start };
  return writeFresh(out, {
    config: freshConfig(params, tokenizer.vocabSize + extra.length, start),
    className: "T5ForConditionalGeneration",
    tokens: { ...special, decoder_start_token_id: start },
    rest,
    tokenizer: withSpecialTokens(tokenizer.files, extra, tokenizer.vocabSize),
    seed: params.seed,
  });
}
