// Chooses rows by their content.
import type { RowData, Rows, TransformRun } from "../../../engine/index.ts";
import { type Expr, evaluateRow, type Json } from "../../../grammar/index.ts";
import { DigestSet, digestOf } from "../digest-set.ts";

interface Split {
  readonly by?: unknown;
  readonly part: "train" | "held_out";
  readonly held_out: number;
  readonly seed: number;
}

export const split: TransformRun<Split> = {
  async *transform(rows, { params }): Rows {
    const by = params.by as Expr | undefined;
    for await (const row of rows) {
      const heldOut = uniformOf(decisive(by, row), params.seed) < params.held_out;
      if (heldOut === (params.part === "held_out")) yield row;
    }
  },
};

export const dedupe: TransformRun<{ readonly by?: unknown }> = {
  async *transform(rows, { params }): Rows {
    const by = params.by as Expr | undefined;
    const seen = new DigestSet();
    for await (const row of rows) if (seen.add(digestOf(decisive(by, row)))) yield row;
  },
};

/** What decides: the whole row, or the value of an expression. */
function decisive(by: Expr | undefined, row: RowData): Json {
  return by ? (evaluateRow(by, row) ?? null) : row;
}

/** In [0, 1), the same for equal values: the first 48 bits of the hash of seed and value. */
function uniformOf(value: Json, seed: number): number {
  return digestOf([seed, value]).readUIntBE(0, 6) / 2 ** 48;
}
