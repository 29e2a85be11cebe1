// Estimates sampling: a pass over the prompts and one over the weights per token of a batch, as if no response ended early.
import { type Cost, type Estimate, type EstimateRun, type Known, readRows } from "../../engine/index.ts";
import { decodingCost, geometry } from "../../tensor/index.ts";
import { inTurn, type KnownModel, modelOf, rowsOf, unknownModel } from "../training/estimate.ts";
import { readPrompts } from "./prompts.ts";
import { batch_size, type Sampling } from "./respond.ts";

export const estimate: EstimateRun<Sampling> = async ({ params, inputs }) => {
  const estimate = await samplingEstimate(inputs.models!, inputs.prompts![0]!, params);
  const rows = rowsOf(inputs.prompts![0]!);
  return { ...estimate, ...(rows === undefined ? {} : { facts: { rows } }) };
};

/** Every model answers every prompt `samples` times. */
export async function samplingEstimate(
  models: readonly Known[],
  prompts: Known,
  params: Pick<Sampling, "samples" | "max_new_tokens">,
): Promise<Estimate> {
  const costs: Cost[] = [];
  const notes = new Set<string>();
  for (const source of models) {
    const model = await modelOf(source);
    if (!model) return unknownModel(source);
    const asked = await promptLengths(prompts, model);
    if (!asked) return { note: `how many prompts ${prompts.node} will have is not known yet` };
    if (asked.note) notes.add(asked.note);
    const rows = asked.rows * params.samples;
    const cost = decodingCost({
      config: model.config,
      batch: batch_size,
      rows,
      prompt: asked.longest,
      max_new_tokens: Math.min(params.max_new_tokens, geometry(model.config).maxLength - asked.longest),
    });
    costs.push({ ...cost, tokens: rows * (asked.longest + params.max_new_tokens) });
  }
  return {
    cost: inTurn(costs),
    ...(notes.size === 0 ? {} : { note: [...notes].join("; ") }),
  };
}

/** Tokens of a prompt that nothing is known of. */
export const usualPrompt = ({ config }: KnownModel): number =>
  Math.min(128, Math.floor(geometry(config).maxLength / 2));

/** Rows of a dataset of prompts, and tokens of the longest. */
export async function promptLengths(
  prompts: Known,
  model: KnownModel,
): Promise<{ rows: number; longest: number; note?: string } | undefined> {
  const { shell } = model;
  const dir = await prompts.open();
  if (dir !== undefined && shell) {
    const encoded = await readPrompts({ dir, node: prompts.node }, shell.tokenizer);
    return { rows: encoded.length, longest: Math.max(1, ...encoded.map(({ ids }) => ids.length)) };
  }
  const rows = dir === undefined ? rowsOf(prompts) : await count(readRows(dir));
  const longest = usualPrompt(model);
  return rows === undefined ? undefined : { rows, longest, note: `as if every prompt had ${longest} tokens` };
}

async function count(rows: AsyncIterable<unknown>): Promise<number> {
  let n = 0;
  for await (const _ of rows) n++;
  return n;
}
