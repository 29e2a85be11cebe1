// Estimates kto from the answers that it would train on, or as if all were as long as they may be.
import type { EstimateRun } from "../../engine/index.ts";
import { learning, trainingEstimate, withReference } from "../training/estimate.ts";
import { type Answer, batchOf, lossOf, readAnswers } from "./answers.ts";
import type { KtoParams } from "./run.ts";

export const estimate: EstimateRun<KtoParams> = (ctx) =>
  learning<Answer>(ctx, readAnswers, ({ full, about, ...known }) => {
    const { params } = ctx;
    const estimate = trainingEstimate<Answer>({
      ...known,
      params,
      loss: lossOf(params.beta),
      longest: { own: full, foreign: full, desirable: true },
      length: ({ own }) => own.ids.length,
      batch: (chosen, size) =>
        batchOf(chosen, [], params, { size, of: chosen.length, desirables: 0, kl: 0, geometry: about }),
    });
    // The reference reads an answer behind its own prompt and behind the foreign one; before each step a pass forward tells the KL.
    const { cost, ...rest } = withReference(estimate, params, known.rows, 2);
    const steps = estimate.cost?.flops;
    return steps === undefined ? estimate : { ...rest, cost: { ...cost, flops: cost!.flops! + steps / 3 } };
  });

/** Of `unpair`: both answers of every pair. */
export const unpaired: EstimateRun<unknown> = ({ before: { rows } }) =>
  typeof rows === "number" ? { facts: { rows: 2 * rows } } : {};
