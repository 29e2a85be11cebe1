// Estimates sft from the examples that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import { longestOf, modelOf, rowsOf, trainingEstimate, unknownModel } from "../training/estimate.ts";
import { batchOf, count, loss, readExamples, type SftParams } from "./run.ts";

export const estimate: EstimateRun<SftParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const examples =
    dir === undefined || !model.shell
      ? undefined
      : await readExamples({ params }, { dir, node: data!.node }, model.shell);
  const about = geometry(model.config);
  const full = Array.from({ length: longestOf(model, params.max_length) }, (_, i) => i);
  const longest = {
    ids: full.map(() => 0),
    mask: full.map(() => true),
    segments: full.map(() => 1),
    positions: full,
    source: full.map(() => 0),
  };
  return trainingEstimate({
    params,
    model,
    loss,
    longest,
    bound: examples === undefined,
    rows: rowsOf(data!),
    examples,
    length: ({ ids }) => ids.length,
    batch: (chosen, rows) =>
      batchOf(chosen, { rows, tokens: count(chosen), geometry: about, packing: params.packing }),
  });
};
