// Estimates judge: what an assistant is asked, or what a reward model reads; other judges take next to nothing.
import { type Cost, type EstimateRun, type Known, readRows } from "../../engine/index.ts";
import { type ContinuationItem, scoringCost } from "../../tensor/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { listIn } from "../data/row-text.ts";
import { usualPrompt } from "../generate/estimate.ts";
import { trunkOf } from "../reward/reward-model.ts";
import { encodeResponses } from "../template/index.ts";
import { type KnownModel, LOOKED_AT, modelOf } from "../training/estimate.ts";
import { chunks } from "../training/loop.ts";
import type { JudgeParams } from "./run.ts";

export const estimate: EstimateRun<JudgeParams> = async ({ params, inputs }) => {
  const [by] = inputs.by!;
  const [data] = inputs.data!;
  const found = await responsesIn(data!);
  const asked = await isAsked(by!);
  // Not every judge is a model.
  const model = asked ? undefined : await modelOf(by!).catch(() => undefined);
  if (!found)
    return asked || model ? { note: `how many responses ${data!.node} will have is not known yet` } : {};
  const facts = { rows: found.rows, responses: found.responses };
  if (asked)
    return { facts, cost: { questions: params.compare === "pairs" ? 2 * found.pairs : found.responses } };
  return model ? { facts, ...(await reading(model, data!, found.responses)) } : { facts };
};

export interface Responses {
  readonly rows: number;
  readonly responses: number;
  /** Of two responses to the same prompt. */
  readonly pairs: number;
}

/** Counted once they are there, before that as the stage that makes them says. */
export async function responsesIn(data: Known): Promise<Responses | undefined> {
  const dir = await data.open();
  if (dir === undefined) {
    const { rows, responses } = data.facts;
    if (typeof rows !== "number" || typeof responses !== "number") return undefined;
    return { rows, responses, pairs: (responses * (responses / rows - 1)) / 2 };
  }
  let [rows, responses, pairs] = [0, 0, 0];
  for await (const row of readRows(dir)) {
    const { length } = listIn(row, "responses", ++rows);
    responses += length;
    pairs += (length * (length - 1)) / 2;
  }
  return { rows, responses, pairs };
}

/** Prompt with response each, by a model with a head for scores. */
async function reading(
  model: KnownModel,
  data: Known,
  responses: number,
): Promise<{ cost: Cost; note?: string }> {
  const read = await firstSequences(model, data);
  const longest = usualPrompt(model);
  const sequences = read ?? Array<number[]>(responses).fill(Array<number>(longest).fill(0));
  const share = responses / Math.max(1, sequences.length);
  const items = sequences.map((ids): ContinuationItem => ({ prompt: ids, continuations: [[0]] }));
  const cost = scoringCost(trunkOf(model.config), chunks(items, LOOKED_AT.rows));
  return {
    cost: {
      ...cost,
      flops: cost.flops * share,
      traffic: cost.traffic * share,
      tokens: Math.round(cost.tokens * share),
    },
    ...(read ? {} : { note: `as if every response had ${longest} tokens with its prompt` }),
  };
}

async function firstSequences({ shell }: KnownModel, data: Known) {
  const dir = await data.open();
  if (dir === undefined || !shell) return undefined;
  const max_length = shell.geometry.maxLength;
  const sequences: (readonly number[])[] = [];
  let rows = 0;
  for await (const row of readRows(dir)) {
    const texts = listIn(row, "responses", ++rows).map(String);
    for (const { ids } of encodeResponses(row, texts, shell.tokenizer, { max_length })) sequences.push(ids);
    if (sequences.length >= LOOKED_AT.rows) break;
  }
  return sequences;
}
