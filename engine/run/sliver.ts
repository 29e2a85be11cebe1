// A few rows of things: what a rehearsal works on.
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemFiles } from "../ports.ts";
import type { Artifact, RowData, Rows } from "../task.ts";
import { ROWS_FILE, readRows, writeRows } from "./rows.ts";

/** A dataset keeps so many rows, enough for splits and filters to leave some. */
const DATASET_ROWS = 512;
/** They are spread over as many as this: rows that belong together often stand together, sixteen prompts of a question, say. */
const SEEN_ROWS = 16 * DATASET_ROWS;
/** A stage is shown so many: a batch or two, and few enough to be judged by something that costs money. */
const STAGE_ROWS = 8;

/** Of the rows at the beginning, some from everywhere, always the same places, in order. */
export async function* some(rows: Rows): Rows {
  let kept: { readonly at: number; readonly row: RowData }[] = [];
  const thinned = () => kept.sort((a, b) => scattered(a.at) - scattered(b.at)).slice(0, DATASET_ROWS);
  let at = 0;
  for await (const row of first(rows, SEEN_ROWS)) {
    kept.push({ at: at++, row });
    if (kept.length === 2 * DATASET_ROWS) kept = thinned();
  }
  for (const { row } of thinned().sort((a, b) => a.at - b.at)) yield row;
}

/** A number from 0 to 2³² for each place, without pattern: no stride that a period of the rows could meet. */
function scattered(at: number): number {
  let x = Math.imul(at + 1, 0x9e3779b1);
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  return (x ^ (x >>> 13)) >>> 0;
}

async function* first(rows: Rows, count: number): Rows {
  let left = count;
  if (left === 0) return;
  for await (const row of rows) {
    yield row;
    if (--left === 0) return;
  }
}

/** The artifact as a stage sees it in a rehearsal: of a dataset, its first rows, laid out in `to`. */
export async function sliverOf(artifact: Artifact, to: string): Promise<Artifact> {
  if (systemFiles.stat(join(artifact.dir, ROWS_FILE)) === undefined) return artifact;
  mkdirSync(to, { recursive: true });
  cpSync(artifact.dir, to, { recursive: true, filter: (path) => !path.endsWith(`/${ROWS_FILE}`) });
  await writeRows(to, first(readRows(artifact.dir), STAGE_ROWS));
  return { ...artifact, dir: to };
}
