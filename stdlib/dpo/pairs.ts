// Preference rows as a training step reads them: token sequences of both responses, their log-probs under the reference, arrays.
import { type Artifact, readRows, TaskError } from "../../engine/index.ts";
import { type Batch, type Geometry, tensor } from "../../tensor/index.ts";
import { encodePair } from "../template/index.ts";
import type { ModelShell } from "../training/model.ts";
import { type Example, pad, supervised } from "../training/padding.ts";
import { perToken } from "../training/reference.ts";
import { supervision } from "../training/supervision.ts";

export interface Pair {
  readonly chosen: Example;
  readonly rejected: Example;
}

/** Log-probs of both responses under the reference, in nats: sums or means, as the loss has them. */
export type PairReference = readonly [chosen: number, rejected: number];

/** `size` pairs, of which the last may be empty, out of a step's `of`. */
export function batchOf(
  pairs: readonly Pair[],
  references: readonly PairReference[],
  { size, of, geometry }: { readonly size: number; readonly of: number; readonly geometry: Geometry },
): Batch {
  const reference = new Float32Array(2 * size);
  const scale = new Float32Array(2 * size);
  const weight = new Float32Array(size);
  pairs.forEach((pair, row) => {
    reference.set(references[row] ?? [0, 0], 2 * row);
    scale.set([perToken(pair.chosen), perToken(pair.rejected)], 2 * row);
    weight[row] = 1;
  });
  const { ids, mask } = pad(
    pairs.flatMap(({ chosen, rejected }) => [chosen, rejected]),
    2 * size,
    geometry.maxLength,
  );
  return {
    ids,
    ...supervision(ids, mask, geometry.vocabSize),
    reference: tensor(reference, [2 * size]),
    scale: tensor(scale, [2 * size]),
    weight: tensor(weight, [size]),
    pairs: of,
  };
}

/** Pairs that have something of both responses within `limit` tokens. */
export async function readPairs(
  data: Pick<Artifact, "dir" | "node">,
  model: ModelShell,
  limit: number | undefined,
): Promise<Pair[]> {
  const max_length = limit ?? model.geometry.maxLength;
  const pairs: Pair[] = [];
  let rows = 0;
  for await (const row of readRows(data.dir)) {
    rows++;
    const { chosen, rejected } = encodePair(row, model.tokenizer, { max_length });
    if (supervised(chosen) > 0 && supervised(rejected) > 0) pairs.push({ chosen, rejected });
  }
  if (pairs.length === 0) {
    throw new TaskError({
      code: "no-pairs",
      message: `none of the ${rows} pairs of ${data.node} has both responses within ${max_length} tokens`,
      help: rows === 0 ? "look at the stage that made them: were all scores tied?" : "raise max_length",
    });
  }
  return pairs;
}
