// Estimates sampling: a pass over the prompts and one over the weights per token of a batch, as if no response ended early.
import { type Cost, type Estimate, type EstimateRun, type Known, readRows } from "../../engine/index.ts";
import { decodingCost, geometry } from "../../tensor/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { inTurn, type KnownModel, modelOf, rowsOf, unknownModel } from "../training/estimate.ts";
import { readPrompts } from "./prompts.ts";
import { batch_size, type Sampling } from "./respond.ts";

export const estimate: EstimateRun<Sampling> = async ({ params, inputs }) => {
  const estimate = await samplingEstimate(inputs.models!, inputs.prompts![0]!, params);
  const rows = rowsOf(inputs.prompts![0]!);
  if (rows === undefined) return estimate;
  return { ...estimate, facts: { rows, responses: rows * params.samples * inputs.models!.length } };
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
    if (await isAsked(source)) {
      const rows = await rowsIn(prompts);
      if (rows === undefined) return unknownRows(prompts);
      costs.push({ questions: rows * params.samples });
      continue;
    }
    const model = await modelOf(source);
    if (!model) return unknownModel(source);
    const asked = await promptLengths(prompts, model);
    if (!asked) return unknownRows(prompts);
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
  const rows = await rowsIn(prompts);
  const longest = usualPrompt(model);
  return rows === undefined ? undefined : { rows, longest, note: `as if every prompt had ${longest} tokens` };
}

const unknownRows = ({ node }: Known): Estimate => ({
  note: `how many prompts ${node} will have is not known yet`,
});

/** Counted once they are there. */
export async function rowsIn(data: Known): Promise<number | undefined> {
  const dir = await data.open();
  if (dir === undefined) return rowsOf(data);
  let rows = 0;
  for await (const _ of readRows(dir)) rows++;
  return rows;
}
