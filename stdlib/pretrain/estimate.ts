// Estimates pretrain: blocks of one length, as many as the text gives if all of it is as its first rows.
import { type EstimateRun, readRows } from "../../engine/index.ts";
import { tensor } from "../../tensor/index.ts";
import type { Tokenizer } from "../../tensor/io/index.ts";
import {
  LOOKED_AT,
  longestOf,
  modelOf,
  rowsOf,
  trainingEstimate,
  unknownModel,
} from "../training/estimate.ts";
import { loss, type PretrainParams } from "./run.ts";

export const estimate: EstimateRun<PretrainParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const length = longestOf(model, params.sequence_length);
  const blocks =
    dir === undefined || !model.shell
      ? undefined
      : await blocksIn(dir, rowsOf(data!), model.shell.tokenizer, length);
  return trainingEstimate<null>({
    params,
    model,
    loss,
    longest: null,
    bound: false,
    rows: blocks,
    examples: undefined,
    length: () => length,
    batch: (_, rows) => ({
      ids: tensor(new Int32Array(rows * length), [rows, length]),
      mask: tensor(new Float32Array(rows * length), [rows, length]),
      tokens: rows * (length - 1),
    }),
  });
};

async function blocksIn(
  dir: string,
  all: number | undefined,
  tokenizer: Tokenizer,
  length: number,
): Promise<number> {
  let [rows, tokens] = [0, 0];
  for await (const row of readRows(dir)) {
    tokens += tokenizer.encode(String(row.text)).length + 1;
    if (++rows === LOOKED_AT.rows) break;
  }
  const share = Math.max(1, (all ?? rows) / rows);
  return Math.floor((tokens * share) / length);
}
