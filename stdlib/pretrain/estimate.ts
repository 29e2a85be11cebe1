// Estimates pretrain: blocks of one length, as many as the text gives.
import type { EstimateRun } from "../../engine/index.ts";
import { tensor } from "../../tensor/index.ts";
import { readBlocks } from "../training/blocks.ts";
import { longestOf, modelOf, trainingEstimate, unknownModel } from "../training/estimate.ts";
import { loss, type PretrainParams } from "./run.ts";

export const estimate: EstimateRun<PretrainParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const length = longestOf(model, params.sequence_length);
  const text =
    dir === undefined || !model.shell
      ? undefined
      : await readBlocks({ dir, node: data!.node }, model.shell.tokenizer, length);
  return trainingEstimate<null>({
    params,
    model,
    loss,
    longest: null,
    bound: false,
    rows: text?.blocks,
    examples: undefined,
    length: () => length,
    batch: (_, rows) => ({
      ids: tensor(new Int32Array(rows * length), [rows, length]),
      mask: tensor(new Float32Array(rows * length), [rows, length]),
      tokens: rows * (length - 1),
    }),
  });
};
