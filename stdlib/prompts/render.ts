// Renders rows by templates of the language: every row by all of them, by one drawn for it, or by each in turn.
import { createHash } from "node:crypto";
import { canonicalJson, type RowData, type Rows, type TransformRun } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { renderRow } from "../template/render-row.ts";
import { carried } from "./index.ts";
import { type Pick, picked } from "./pick.ts";

interface Params {
  readonly templates: readonly unknown[];
  readonly pick: Pick;
  readonly seed: number;
}

export const render: TransformRun<Params> = {
  async *transform(rows, { params: { pick, seed, ...params } }): Rows {
    const templates = (params.templates as Json[]).map((template) => renderRow(template));
    let number = 0;
    for await (const row of rows) {
      const example = nameOf(row);
      for (const at of picked(pick, templates.length, { seed, example, number })) {
        yield { ...keptOf(row), ...templates[at]!(row), template: at + 1, example };
      }
      number++;
    }
  },
};

function keptOf(row: RowData): RowData {
  return Object.fromEntries(carried.flatMap((name) => (row[name] === undefined ? [] : [[name, row[name]!]])));
}

/** By its content, so that the same row has the same name in every dataset. */
export function nameOf(row: RowData): string {
  return createHash("sha256").update(canonicalJson(row)).digest("hex").slice(0, 16);
}
