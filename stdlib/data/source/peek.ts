// The columns of a JSONL, CSV or Parquet file: what `align check` may know before anything runs.
import { closeSync, openSync, readSync } from "node:fs";
import { constants, gunzipSync } from "node:zlib";
import { resolveFiles } from "../../../engine/index.ts";
import type { ColumnType, Json, Row } from "../../../grammar/index.ts";
import { parquetColumns } from "./parquet-schema.ts";

/** Enough for many rows, little enough for an editor. */
const startBytes = 1 << 18;
const rowsLookedAt = 100;

/** `path` as written in the .align file `from`; of a pattern, the columns that every file has. */
export function peekRow(path: string, from: string): Row | undefined {
  const resolved = resolveFiles(path, from);
  if ("problem" in resolved) return undefined;
  let common: Record<string, ColumnType> | undefined;
  for (const file of resolved.files) {
    const columns = peekFile(file);
    if (!columns) return undefined;
    common = common ? columnsOfBoth(common, columns) : columns;
  }
  return common && { columns: common };
}

/** Columns that both have; of no single type where they differ. */
export function columnsOfBoth(
  a: Readonly<Record<string, ColumnType>>,
  b: Readonly<Record<string, ColumnType>>,
): Record<string, ColumnType> {
  const both: Record<string, ColumnType> = {};
  for (const [name, type] of Object.entries(a)) {
    if (Object.hasOwn(b, name)) both[name] = b[name] === type ? type : "any";
  }
  return both;
}

/** `name` is what the file is called where it came from. */
export function peekFile(file: string, name = file): Record<string, ColumnType> | undefined {
  let start: { text: string; whole: boolean };
  try {
    if (name.endsWith(".parquet")) return parquetColumns(file);
    start = readStart(file, name.endsWith(".gz"));
  } catch {
    return undefined; // whoever reads it will say what is wrong
  }
  const { text, whole } = start;
  if (text.trimStart().startsWith("[")) return undefined; // a list of objects may be one long line
  if (text.trimStart().startsWith("{")) {
    const lines = text.split("\n");
    // The last line may be cut.
    return columnsOfJsonl(whole ? lines : lines.slice(0, -1));
  }
  return columnsOfHeader(text.split(/\r?\n/, 1)[0]!);
}

function readStart(file: string, packed: boolean): { text: string; whole: boolean } {
  const handle = openSync(file, "r");
  try {
    const buffer = Buffer.alloc(startBytes);
    const length = readSync(handle, buffer, 0, startBytes, 0);
    const start = buffer.subarray(0, length);
    // What a cut file holds can be read as far as it goes.
    const plain = packed ? gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH }) : start;
    return { text: new TextDecoder().decode(plain), whole: length < startBytes };
  } finally {
    closeSync(handle);
  }
}

function columnsOfJsonl(lines: readonly string[]): Record<string, ColumnType> | undefined {
  let columns: Record<string, ColumnType> | undefined;
  for (const line of lines.filter((l) => l.trim() !== "").slice(0, rowsLookedAt)) {
    let row: Json;
    try {
      row = JSON.parse(line) as Json;
    } catch {
      return columns;
    }
    if (row === null || typeof row !== "object" || Array.isArray(row)) return columns;
    const types = Object.entries(row).map(([name, value]) => [name, columnType(value)] as const);
    const seen: Record<string, ColumnType> = Object.fromEntries(types);
    columns = columns ? columnsOfBoth(columns, seen) : seen;
  }
  return columns;
}

/** Quoted names are rare in a header, commas in them rarer still. */
function columnsOfHeader(line: string): Record<string, ColumnType> | undefined {
  if (line.trim() === "") return undefined;
  const delimiter = line.includes("\t") ? "\t" : line.includes(",") ? "," : line.includes(";") ? ";" : ",";
  const names = line.split(delimiter).map((name) => name.trim().replace(/^"(.*)"$/, "$1"));
  return Object.fromEntries(names.map((name) => [name, "string" as const]));
}

function columnType(value: Json): ColumnType {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  if (!Array.isArray(value)) return "any";
  const messages = value.length > 0 && value.every((v) => v !== null && typeof v === "object" && "role" in v);
  return messages ? "messages" : "list";
}
