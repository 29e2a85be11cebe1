// Chooses rows by their content.
import { createHash } from "node:crypto";
import { canonicalJson, type Rows, type TransformRun } from "../../../engine/index.ts";
import { type Expr, evaluateRow, type Json } from "../../../grammar/index.ts";

interface Split {
  readonly part: "train" | "held_out";
  readonly held_out: number;
  readonly seed: number;
}

export const split: TransformRun<Split> = {
  async *transform(rows, { params }): Rows {
    for await (const row of rows) {
      const heldOut = uniformOf(row, params.seed) < params.held_out;
      if (heldOut === (params.part === "held_out")) yield row;
    }
  },
};

export const dedupe: TransformRun<{ readonly by?: unknown }> = {
  async *transform(rows, { params }): Rows {
    const by = params.by as Expr | undefined;
    const seen = new Set<string>();
    for await (const row of rows) {
      const digest = hash(by ? (evaluateRow(by, row) ?? null) : row).toString("base64");
      if (seen.has(digest)) continue;
      seen.add(digest);
      yield row;
    }
  },
};

/** In [0, 1), the same for equal rows: the first 48 bits of the hash of seed and row. */
function uniformOf(row: Json, seed: number): number {
  return hash([seed, row]).readUIntBE(0, 6) / 2 ** 48;
}

function hash(value: Json): Buffer {
  return createHash("sha256").update(canonicalJson(value)).digest();
}
