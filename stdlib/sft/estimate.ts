// Estimates sft from the first examples that it would train on, or as if all were as long as they may be.
import type { EstimateRun, Known } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import {
  LOOKED_AT,
  longestOf,
  modelOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
} from "../training/estimate.ts";
import { ExampleStore } from "../training/examples.ts";
import type { ModelShell } from "../training/model.ts";
import { packed } from "../training/packing.ts";
import type { Example } from "../training/padding.ts";
import { batchOf, count, encodedRows, loss, type SftExample, type SftParams } from "./run.ts";

export const estimate: EstimateRun<SftParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const length = longestOf(model, params.max_length);
  const first = model.shell && (await firstExamples(params, data!, model.shell, length));
  const about = geometry(model.config);
  if (!Number.isFinite(length) && !first)
    return { facts: model.facts, note: `${start!.node} has no longest text, and \`max_length\` gives none` };
  const longest = Number.isFinite(length) ? filled(length) : longestIn(first!.examples);
  return trainingEstimate<SftExample>({
    params,
    model,
    loss,
    longest,
    bound: first === undefined,
    rows: first?.ofAll ?? rowsOf(data!),
    examples: first?.examples,
    length: ({ ids }) => ids.length,
    batch: (chosen, rows) =>
      batchOf(chosen, { rows, tokens: count(chosen), geometry: about, packing: params.packing }),
  });
};

/** An example of so many tokens, however it is batched. */
function filled(length: number): SftExample {
  const all = Array.from({ length }, (_, i) => i);
  const [ids, mask] = [all.map(() => 0), all.map(() => true)];
  return { ids, mask, segments: all.map(() => 1), positions: all, source: ids };
}

const longestIn = (examples: readonly SftExample[]): SftExample =>
  examples.reduce((longest, example) => (example.ids.length > longest.ids.length ? example : longest));

/** Those of the first rows, and how many there will be if the others are like them. */
async function firstExamples(
  params: SftParams,
  data: Known,
  model: ModelShell,
  length: number,
): Promise<{ examples: readonly SftExample[]; ofAll: number } | undefined> {
  const dir = await data.open();
  if (dir === undefined) return undefined;
  const store = new ExampleStore<Example>({ largest: Number.POSITIVE_INFINITY });
  let rows = 0;
  for await (const example of encodedRows({ params }, { dir }, model)) {
    if (example) store.add(example);
    if (++rows === LOOKED_AT.rows) break;
  }
  const kept = params.packing ? packed(store, length) : store;
  const share = Math.max(1, (rowsOf(data) ?? rows) / rows);
  return {
    examples: Array.from({ length: kept.count }, (_, i) => kept.at(i)),
    ofAll: Math.round(kept.count * share),
  };
}
