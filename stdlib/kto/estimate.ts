// Estimates kto from the answers that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { geometry } from "../../tensor/index.ts";
import {
  longestOf,
  modelOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
  withReference,
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
  // The reference reads an answer behind its own prompt and behind the foreign one.
  const { cost, ...rest } = withReference(estimate, params, rows, 2);
  const { flops: steps } = estimate.cost ?? {};
  // And before each step there is a pass forward for the KL.
  return cost?.flops === undefined
    ? estimate
    : { ...rest, cost: { ...cost, flops: cost.flops + steps! / 3 } };
};
