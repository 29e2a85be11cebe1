// Estimates pretrain: blocks of one length, as many as the text gives if all of it is as its first rows.
import { type EstimateRun, readRows } from "../../engine/index.ts";
import { geometry, stream } from "../../tensor/index.ts";
import type { Tokenizer } from "../../tensor/io/index.ts";
import { LOOKED_AT, modelOf, rowsOf, trainingEstimate, unknownModel } from "../training/estimate.ts";
import { type Objective, objectiveOf, sentinelsOf } from "./objectives.ts";
import { loss, type PretrainParams } from "./run.ts";

export const estimate: EstimateRun<PretrainParams> = async ({ params, inputs }) => {
  const [start] = inputs.model!;
  const [data] = inputs.data!;
  const model = await modelOf(start!);
  if (!model) return unknownModel(start!);
  const dir = await data!.open();
  const tokenizer = model.shell?.tokenizer;
  const objective = objectiveOf(params, {
    node: start!.node,
    geometry: geometry(model.config),
    eos: tokenizer?.eos ?? 0,
    // Where there is no tokenizer yet, nothing says how many it will have.
    sentinels: tokenizer ? sentinelsOf(tokenizer) : Array(100).fill(0),
  });
  const { length } = objective;
  const read = dir === undefined || !tokenizer ? undefined : await readFirst(dir, tokenizer, objective);
  const lengths = read?.lengths ?? [length];
  const zeros = {
    length,
    blocks: params.batch_size,
    at: (block: number) => new Int32Array(lengths[block % lengths.length]!),
  };
  return trainingEstimate<null>({
    params,
    model,
    loss,
    longest: null,
    bound: false,
    rows: read && Math.floor(read.blocks * Math.max(1, (rowsOf(data!) ?? read.rows) / read.rows)),
    examples: undefined,
    length: () => length,
    batch(_, rows) {
      const all = Array.from({ length: rows }, (_, i) => i);
      const draw = (block: number) => stream(params.seed).split(block);
      return {
        ...objective.arrays(zeros, all, rows, draw),
        tokens: objective.tokens(zeros, all, draw),
      };
    },
  });
};

/** How many blocks the first rows give, and how long each is. */
async function readFirst(
  dir: string,
  tokenizer: Tokenizer,
  { length, packed }: Objective,
): Promise<{ rows: number; blocks: number; lengths: number[] }> {
  let [rows, tokens] = [0, 0];
  const pieces: number[] = [];
  for await (const row of readRows(dir)) {
    const { length: n } = tokenizer.encode(String(row.text));
    tokens += n + 1;
    for (let at = 0; at + 1 < n; at += length) pieces.push(Math.min(length, n - at));
    if (++rows === LOOKED_AT.rows) break;
  }
  return packed
    ? { rows, blocks: tokens / length, lengths: [length] }
    : { rows, blocks: pieces.length, lengths: pieces.length > 0 ? pieces : [length] };
}
