// The first rows of things: what a rehearsal works on.
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { systemFiles } from "../ports.ts";
import type { Artifact, Rows } from "../task.ts";
import { ROWS_FILE, readRows, writeRows } from "./rows.ts";

/** A dataset keeps so many rows, enough for splits and filters to leave some. */
export const DATASET_ROWS = 512;
/** A stage is shown so many: a batch or two, and few enough to be judged by something that costs money. */
const STAGE_ROWS = 8;

export async function* first(rows: Rows, count: number): Rows {
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
