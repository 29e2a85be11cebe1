// Estimates evaluate: an answer to every prompt, and the loss of the references, as far as either is wanted.
import { type Cost, type EstimateRun, type RowData, readRows } from "../../engine/index.ts";
import { type ContinuationItem, geometry, scoringCost } from "../../tensor/index.ts";
import { samplingEstimate, usualPrompt } from "../generate/estimate.ts";
import { inTurn, type KnownModel, LOOKED_AT, modelOf, rowsOf, unknownModel } from "../training/estimate.ts";
import { chunks } from "../training/loop.ts";
import { itemsOf, portion } from "./loss.ts";
import { type EvaluateParams, usualMetrics } from "./run.ts";

export const estimate: EstimateRun<EvaluateParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const read = dir === undefined ? undefined : await firstRows(dir);
  const rows = read?.count ?? rowsOf(data!);
  if (rows === undefined) return { note: `how many rows ${data!.node} will have is not known yet` };

  const costs: Cost[] = [];
  const notes: string[] = [];
  const wanted = params.metrics ?? usualMetrics(read?.rows.every((row) => row.prompt !== undefined) ?? true);
  if (wanted.some((name) => name !== "loss")) {
    const { max_new_tokens } = params;
    const { cost, note } = await samplingEstimate([start!], data!, { samples: 1, max_new_tokens });
    if (cost) costs.push(cost);
    if (note !== undefined) notes.push(note);
  }
  if (wanted.includes("loss")) {
    const { items, note } = itemsFrom(read?.rows, model, rows);
    const cost = scoringCost(model.config, chunks(items, portion), limitsOf(model));
    const share = read ? rows / Math.max(1, read.rows.length) : 1;
    costs.push({
      ...cost,
      flops: cost.flops * share,
      traffic: cost.traffic * share,
      tokens: Math.round(cost.tokens * share),
    });
    if (note !== undefined && !notes.includes(note)) notes.push(note);
  }
  return { cost: inTurn(costs), ...(notes.length > 0 && { note: notes.join("; ") }) };
};

async function firstRows(dir: string): Promise<{ rows: RowData[]; count: number }> {
  const rows: RowData[] = [];
  let count = 0;
  for await (const row of readRows(dir)) if (count++ < LOOKED_AT.rows) rows.push(row);
  return { rows, count };
}

function limitsOf({ config }: KnownModel) {
  const { maxLength } = geometry(config);
  return Number.isFinite(maxLength) ? { max_length: maxLength } : {};
}

/** References as the model reads them, or one for each row that is as long as a usual prompt. */
function itemsFrom(
  read: readonly RowData[] | undefined,
  model: KnownModel,
  rows: number,
): { items: readonly ContinuationItem[]; note?: string } {
  if (read && model.shell) return { items: itemsOf(read, model.shell) };
  const longest = usualPrompt(model);
  const reference = Array<number>(longest).fill(0);
  return {
    items: Array<ContinuationItem>(rows).fill({ prompt: [0], continuations: [reference] }),
    note: `as if every prompt had ${longest} tokens`,
  };
}
