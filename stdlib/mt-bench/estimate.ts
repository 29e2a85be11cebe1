// Estimates mt_bench: who answers takes every turn, and an assistant that rates is asked once for each.
import { type Cost, type EstimateRun, type Known, readRows } from "../../engine/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { listIn } from "../data/row-text.ts";
import { samplingEstimate } from "../generate/estimate.ts";
import { inTurn, rowsOf } from "../training/estimate.ts";
import type { MtBenchParams } from "./run.ts";

export const estimate: EstimateRun<MtBenchParams> = async ({ params, inputs }) => {
  const [questions] = inputs.questions!;
  const found = await turnsIn(questions!);
  if (!found) return { note: `how many questions ${questions!.node} will have is not known yet` };
  const { max_new_tokens } = params;
  const each = { samples: found.turns / Math.max(1, found.rows), max_new_tokens };
  const answers = await samplingEstimate(inputs.model!, questions!, each);
  const ratings: Cost[] = (await isAsked(inputs.judge![0]!)) ? [{ questions: found.turns }] : [];
  const costs = [...(answers.cost ? [answers.cost] : []), ...ratings];
  return { ...answers, ...(costs.length > 0 && { cost: inTurn(costs) }) };
};

/** Two to each, as MT-Bench has them, until they are there. */
async function turnsIn(data: Known): Promise<{ rows: number; turns: number } | undefined> {
  const dir = await data.open();
  if (dir === undefined) {
    const rows = rowsOf(data);
    return rows === undefined ? undefined : { rows, turns: 2 * rows };
  }
  let [rows, turns] = [0, 0];
  for await (const row of readRows(dir)) turns += listIn(row, "turns", ++rows).length;
  return { rows, turns };
}
