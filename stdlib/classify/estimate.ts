// Estimates classify from the questions that it would ask, or as if every prompt were a usual one with choices of one token.
import type { Cost, EstimateContext, EstimateRun } from "../../engine/index.ts";
import { type ContinuationItem, geometry, scoringCost } from "../../tensor/index.ts";
import { usualPrompt } from "../generate/estimate.ts";
import { inTurn, type KnownModel, LOOKED_AT, modelOf, rowsOf, unknownModel } from "../training/estimate.ts";
import { chunks } from "../training/loop.ts";
import { encodeItem } from "./encode.ts";
import { type Item, readItems } from "./items.ts";
import type { ClassifyParams } from "./run.ts";
import { portion } from "./score.ts";

type Context = EstimateContext<ClassifyParams>;

/** The schema lets templates be anything, since the language has checked them. */
type Written = Omit<ClassifyParams, "templates"> & { readonly templates?: unknown };

export const estimate: EstimateRun<Written> = async (written) => {
  const ctx = written as Context;
  const items = await itemsOf(ctx);
  const costs: Cost[] = [];
  const notes = new Set<string>();
  for (const source of [ctx.inputs.model![0]!, ...(ctx.inputs.baseline ?? [])]) {
    const model = await modelOf(source);
    if (!model) return unknownModel(source);
    const asked = asQuestions(ctx, model, items);
    if ("unknown" in asked) return { note: asked.unknown };
    if (asked.note !== undefined) notes.add(asked.note);
    const looked: readonly ContinuationItem[] = asked.looked;
    const cost = scoringCost(model.config, chunks(looked, portion), asked.limits);
    costs.push({
      ...cost,
      flops: cost.flops * asked.share,
      traffic: cost.traffic * asked.share,
      tokens: Math.round(cost.tokens * asked.share),
    });
  }
  return { cost: inTurn(costs), ...(notes.size > 0 && { note: [...notes].join("; ") }) };
};

/** The questions themselves, once their rows are there. */
async function itemsOf({ inputs, params }: Context): Promise<readonly Item[] | undefined> {
  const places = async (name: "data" | "examples") => {
    const found = [];
    for (const known of inputs[name] ?? []) {
      const dir = await known.open();
      if (dir === undefined) return undefined;
      found.push({ dir, node: known.node });
    }
    return found;
  };
  const [data, examples] = [await places("data"), await places("examples")];
  return data && examples && readItems(data, examples[0], params);
}

/** The first of the questions as the model reads them, and how many times as many there are. */
function asQuestions({ inputs, params }: Context, model: KnownModel, items: readonly Item[] | undefined) {
  const about = geometry(model.config);
  const max_length = Math.min(params.max_length ?? Number.POSITIVE_INFINITY, about.maxLength);
  const limits = Number.isFinite(max_length) ? { max_length } : {};
  if (items && model.shell) {
    const { tokenizer } = model.shell;
    const encoding = {
      tokenizer,
      encodes: about.decoderStart !== undefined,
      max_length,
      delimiter: params.delimiter,
    };
    const looked = items.slice(0, LOOKED_AT.rows).map((item) => encodeItem(item, encoding));
    return { looked, share: items.length / looked.length, limits };
  }
  let count = items?.length ?? 0;
  for (const [i, data] of (items ? [] : inputs.data!).entries()) {
    const rows = rowsOf(data);
    if (rows === undefined) return { unknown: `how many rows ${data.node} will have is not known yet` };
    count += rows * (params.templates?.[i]?.length ?? 1);
  }
  const longest = usualPrompt(model);
  const usual: ContinuationItem = { prompt: Array<number>(longest).fill(0), continuations: [[0]] };
  return {
    looked: Array<ContinuationItem>(count).fill(usual),
    share: 1,
    limits,
    note: `as if every prompt had ${longest} tokens and every choice one`,
  };
}
