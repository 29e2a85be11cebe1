// Opens data files as streams of bytes: unpacked where they are packed, counted for progress.
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createGunzip } from "node:zlib";
import { type Progress, type RowData, type Rows, TaskError } from "../../../engine/index.ts";

/** A file and what messages call it: a download lies under the name of its digest. */
export interface DataFile {
  readonly path: string;
  readonly name: string;
}

/** Bytes of the file that have been read so far, from this piece. */
export type Count = (bytes: number) => void;

/** How one file becomes rows. */
export type ReadFile = (file: DataFile, count: Count) => Rows;

const piece = 1 << 18;

/** Rows of files one after another, with progress in bytes as they lie on disk. */
export async function* readFiles(
  files: readonly DataFile[],
  read: ReadFile,
  progress: (progress: Progress) => void,
): Rows {
  let total = 0;
  for (const { path } of files) total += (await stat(path)).size;
  let done = 0;
  for (const file of files) {
    yield* read(file, (bytes) => {
      done += bytes;
      progress({ done, total, unit: "bytes" });
    });
  }
}

export function named(paths: readonly string[] | undefined): DataFile[] {
  return (paths ?? []).map((path) => ({ path, name: path }));
}

/** The contents, without gzip where the name ends with it. */
export async function* contentsOf({ path, name }: DataFile, count: Count): AsyncIterable<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: piece });
  file.on("data", (bytes) => count(bytes.length));
  if (!name.endsWith(".gz")) {
    yield* file as AsyncIterable<Buffer>;
    return;
  }
  const plain = createGunzip({ chunkSize: piece });
  file.on("error", (error) => plain.destroy(error));
  file.pipe(plain);
  try {
    yield* plain as AsyncIterable<Buffer>;
  } catch (error) {
    if (!/^Z_/.test((error as NodeJS.ErrnoException).code ?? "")) throw error;
    throw new TaskError({
      code: "malformed-gzip",
      message: `this file is not gzip, or is cut short: ${(error as Error).message}`,
      where: name,
    });
  } finally {
    file.destroy();
  }
}

/** Only these columns, in every row. */
export async function* onlyColumns(rows: Rows, columns: readonly string[], name: string): Rows {
  let number = 0;
  for await (const row of rows) {
    number++;
    const missing = columns.find((column) => row[column] === undefined);
    if (missing !== undefined) throw noColumn(missing, Object.keys(row), `${name}, row ${number}`);
    const kept: Record<string, RowData[string]> = {};
    for (const column of columns) kept[column] = row[column]!;
    yield kept;
  }
}

export function noColumn(missing: string, columns: readonly string[], where: string): TaskError {
  return new TaskError({
    code: "no-such-column",
    message: `there is no column ${missing}`,
    where,
    help: `columns are ${columns.join(", ")}`,
  });
}
