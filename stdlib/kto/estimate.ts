// Estimates kto from the answers that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import {
  longestOf,
  modelOf,
  passesOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
} from "../training/estimate.ts";
import { type Answer, batchOf, lossOf, readAnswers } from "./answers.ts";
import type { KtoParams } from "./run.ts";

export const estimate: EstimateRun<KtoParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const about = geometry(model.config);
  const limit = longestOf(model, params.max_length);
  const example = { ids: Array<number>(limit).fill(0), mask: Array<boolean>(limit).fill(true) };
  const found =
    dir === undefined || !model.shell
      ? undefined
      : await readAnswers({ dir, node: data!.node }, model.shell, params.max_length);
  const rows = found?.length ?? rowsOf(data!);
  const estimate = trainingEstimate<Answer>({
    params,
    model,
    loss: lossOf(params.beta),
    bound: found === undefined,
    longest: { own: example, foreign: example, desirable: true },
    rows,
    examples: found,
    length: ({ own }) => own.ids.length,
    batch: (chosen, size) =>
      batchOf(chosen, [], params, { size, of: chosen.length, desirables: 0, kl: 0, geometry: about }),
  });
  // A pass forward is a third of a step: one before each step for the KL, two of the reference over all answers.
  const passes = passesOf(params, rows);
  const { flops } = estimate.cost ?? {};
  return flops === undefined || passes === undefined
    ? estimate
    : { ...estimate, cost: { ...estimate.cost, flops: flops * (1 + 1 / 3 + 2 / (3 * passes)) } };
};
