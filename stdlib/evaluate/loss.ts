// The loss of a model over references: what training would learn of each row, scored.
import type { OutputContext, RowData } from "../../engine/index.ts";
import { type Backend, type ContinuationItem, createScorer, scoreContinuations } from "../../tensor/index.ts";
import { encodeExample } from "../template/index.ts";
import { chunks } from "../training/loop.ts";
import type { ModelShell, OpenModel } from "../training/model.ts";

/** Rows scored at once. */
export const portion = 64;

export async function lossOf(
  backend: Backend,
  model: OpenModel,
  rows: readonly RowData[],
  ctx: Pick<OutputContext<unknown>, "progress">,
): Promise<Record<string, number>> {
  const { maxLength } = model.geometry;
  const scorer = createScorer({ backend, config: model.config, params: model.params });
  let [nats, tokens, bytes, done] = [0, 0, 0, 0];
  for (const part of chunks(rows, portion)) {
    const items = itemsOf(part, model);
    const scores = await scoreContinuations(scorer, items, { max_length: maxLength });
    for (const { sum, logprobs } of scores.flat()) {
      nats -= sum;
      tokens += logprobs.length;
    }
    for (const { continuations } of items) {
      bytes += Buffer.byteLength(model.tokenizer.decode(Array.from(continuations[0]!)));
    }
    done += part.length;
    ctx.progress({ done, total: rows.length, unit: "rows" });
  }
  await scorer.dispose();
  const loss = nats / tokens;
  return { loss, perplexity: Math.exp(loss), bits_per_byte: nats / Math.LN2 / bytes };
}

/** Of each row the completion behind its prompt, or the whole text, with the end of text. */
export function itemsOf(
  rows: readonly RowData[],
  { tokenizer, geometry: { maxLength, decoderStart } }: ModelShell,
): ContinuationItem[] {
  return rows.flatMap((row) => {
    const { ids, mask } = encodeExample(row, tokenizer, { max_length: maxLength - 1 });
    const begin = mask.indexOf(true);
    if (begin === -1) return [];
    const prompt = begin === 0 ? [tokenizer.eos] : ids.slice(0, begin);
    return [
      {
        prompt: decoderStart === undefined ? prompt : [...prompt, tokenizer.eos],
        continuations: [ids.slice(begin)],
      },
    ];
  });
}
