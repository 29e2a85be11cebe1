// Counts the words of the texts, then merges.
import { readColumns, readRows, type StageRun, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import {
  compileTemplate,
  tokenizerFiles,
  trainBpe,
  wordCounter,
  writeTokenizer,
} from "../../tensor/io/index.ts";
import { textIn } from "../data/row-text.ts";
import { templateTexts } from "../template/index.ts";

interface Params {
  readonly vocab_size: number;
  readonly min_frequency: number;
  readonly end_of_text: string;
  readonly special_tokens: readonly string[];
  readonly chat_template?: unknown;
}

export const tokenizer: StageRun<Params> = {
  async run({ params, inputs, out, progress }) {
    const data = inputs.data![0]!.dir;
    const { rows: total } = await readColumns(data);
    const counter = wordCounter();
    let rows = 0;
    for await (const row of readRows(data)) {
      counter.add(textIn(row, "text", ++rows));
      progress({ done: rows, total, unit: "rows" });
    }
    if (counter.counts.size === 0) {
      throw new TaskError({ code: "no-rows", message: "there is no text to train a tokenizer on" });
    }

    const bpe = trainBpe(counter.counts, {
      vocabSize: params.vocab_size,
      minFrequency: params.min_frequency,
      specialTokens: [params.end_of_text, ...params.special_tokens],
      progress: (done, of) => progress({ done, total: of, unit: "merges" }),
    });
    const chatTemplate =
      params.chat_template === undefined ? undefined : chatTemplateOf(params.chat_template);
    const roles = { eos: params.end_of_text, ...(chatTemplate === undefined ? {} : { chatTemplate }) };
    await writeTokenizer(out, tokenizerFiles(bpe, roles));
    return {
      metrics: {
        vocab_size: bpe.vocab.size,
        merges: bpe.merges.length,
        words: bpe.trained.words,
        bytes_per_token: bpe.trained.bytes / bpe.trained.tokens,
      },
    };
  },
};

function chatTemplateOf(value: unknown): string {
  const { input } = templateTexts(value as Json);
  compileTemplate(input, "chat_template");
  return input;
}
