// Reads Parquet files a row group at a time; values that JSON has no word for are named or put into words.
import { stat } from "node:fs/promises";
import { type RowData, type Rows, type SourceRun, TaskError } from "../../../engine/index.ts";
import type { Json } from "../../../grammar/index.ts";
import { type Count, type DataFile, named, noColumn, readFiles } from "./read.ts";

interface Params {
  readonly columns?: readonly string[];
}

export const parquet: SourceRun<Params> = {
  read: ({ params, files, progress }) =>
    readFiles(named(files.paths), (file, count) => readParquet(file, count, params.columns), progress),
};

/** Rows decoded at a time: of wide rows a whole group may be large. */
const slice = 4096;

export async function* readParquet(
  { path, name }: DataFile,
  count: Count,
  columns?: readonly string[],
): Rows {
  const [{ asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetSchema }, { compressors }] =
    await Promise.all([import("hyparquet"), import("hyparquet-compressors")]);
  const { size } = await stat(path);
  const file = await asyncBufferFromFile(path);
  const metadata = await parquetMetadataAsync(file).catch((error: Error) => {
    throw new TaskError({
      code: "malformed-parquet",
      message: `this is not a whole Parquet file: ${error.message}`,
      where: name,
    });
  });
  const there = parquetSchema(metadata).children.map(({ element }) => element.name);
  const missing = columns?.find((column) => !there.includes(column));
  if (missing !== undefined) throw noColumn(missing, there, name);

  const rows = Number(metadata.num_rows);
  let groupStart = 0;
  let read = 0;
  for (const { num_rows } of metadata.row_groups) {
    const groupEnd = groupStart + Number(num_rows);
    for (let rowStart = groupStart; rowStart < groupEnd; rowStart += slice) {
      const rowEnd = Math.min(rowStart + slice, groupEnd);
      const part = await parquetReadObjects({
        file,
        metadata,
        compressors,
        utf8: false,
        rowStart,
        rowEnd,
        ...(columns ? { columns: [...columns] } : {}),
      }).catch((error: Error) => {
        throw new TaskError({
          code: "malformed-parquet",
          message: `rows ${rowStart + 1} to ${rowEnd} cannot be read: ${error.message}`,
          where: name,
        });
      });
      for (const [i, row] of part.entries()) yield jsonOf(row, `${name}, row ${rowStart + i + 1}`);
      // The footer says how many rows there are; their bytes are taken to be alike.
      const now = Math.round((size * rowEnd) / rows);
      count(now - read);
      read = now;
    }
    groupStart = groupEnd;
  }
}

function jsonOf(row: Record<string, unknown>, where: string): RowData {
  const made: Record<string, Json> = {};
  for (const [column, value] of Object.entries(row)) made[column] = plain(value, column, where);
  return made;
}

function plain(value: unknown, column: string, where: string): Json {
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      // NaN is pandas' way to write that there is none.
      return Number.isFinite(value) ? value : null;
    case "bigint":
      // Beyond 2^53 a number would be another one.
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  }
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) {
    const text = utf8(value);
    if (text !== undefined) return text;
    throw new TaskError({
      code: "column-of-bytes",
      message: `column ${column} holds bytes, which a row cannot`,
      where,
      help: `name the columns that you want: columns: ["…"]`,
    });
  }
  if (ArrayBuffer.isView(value)) return [...(value as unknown as Iterable<unknown>)].map(item);
  if (Array.isArray(value)) return value.map(item);
  return Object.fromEntries(Object.entries(value as object).map(([key, x]) => [key, item(x)]));

  function item(x: unknown): Json {
    return plain(x, column, where);
  }
}

/** Old writers leave out the note that bytes are a text. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
