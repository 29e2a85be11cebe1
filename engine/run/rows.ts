// Rows on disk: one canonical JSON object per line, streamed both ways.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { ColumnType, Json } from "../../grammar/index.ts";
import { byCodeUnit, canonicalJson, NotCanonical } from "../canonical.ts";
import { type RowData, type Rows, TaskError } from "../task.ts";

export const ROWS_FILE = "rows.jsonl";
const COLUMNS_FILE = "columns.json";
const CHUNK = 1 << 18;

export interface Columns {
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

/** Writes `rows.jsonl` and `columns.json` into a folder. Equal rows give equal bytes. */
export async function writeRows(
  dir: string,
  rows: Iterable<RowData> | Rows,
  onRow?: (count: number) => void,
): Promise<Columns> {
  const path = join(dir, ROWS_FILE);
  // Opened when there is more than fits in one piece: most datasets of most pipelines are written at once.
  let file: FileHandle | undefined;
  const types = new Map<string, ColumnType>();
  let count = 0;
  try {
    let pending: string[] = [];
    let size = 0;
    for await (const row of rows) {
      const line = lineOf(row, count);
      for (const [name, value] of Object.entries(row)) {
        if (value !== undefined) noteType(types, name, value);
      }
      pending.push(line, "\n");
      size += line.length + 1;
      count++;
      onRow?.(count);
      if (size >= CHUNK) {
        // Whoever makes the rows waits here until the disk has caught up.
        file ??= await open(path, "w");
        await file.appendFile(pending.join(""));
        pending = [];
        size = 0;
      }
    }
    if (file) await file.appendFile(pending.join(""));
    else writeFileSync(path, pending.join(""));
  } finally {
    await file?.close();
  }
  const names = [...types.keys()].sort(byCodeUnit);
  const columns: Columns = { rows: count, columns: Object.fromEntries(names.map((n) => [n, types.get(n)!])) };
  writeFileSync(join(dir, COLUMNS_FILE), `${canonicalJson(columns)}\n`);
  return columns;
}

/** The rows of a dataset artifact. */
export function readRows(dir: string): Rows {
  return readJsonl(join(dir, ROWS_FILE));
}

export async function readColumns(dir: string): Promise<Columns> {
  return JSON.parse(await readFile(join(dir, COLUMNS_FILE), "utf8")) as Columns;
}

/** The objects of a JSON Lines file; a line that is none is named. */
export function readJsonl(path: string): Rows {
  return parseJsonl(linesOf(path), path);
}

/** `name` is what messages call the file. */
export async function* parseJsonl(lines: AsyncIterable<string>, name: string): Rows {
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === "") continue;
    yield parseRow(line, `${name}:${number}`);
  }
}

/** One object of a file; `where` is its file and line. */
export function parseRow(line: string, where: string): RowData {
  let value: Json;
  try {
    value = JSON.parse(line) as Json;
  } catch (error) {
    throw new TaskError({
      code: "malformed-json",
      message: `this line is not JSON: ${(error as Error).message}`,
      where,
      help: "every line must be one JSON object",
    });
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as RowData;
  const found = value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
  throw new TaskError({
    code: "malformed-json",
    message: `this line is ${found}, not an object`,
    where,
    help: "every line must be one JSON object",
  });
}

/** Lines of a file, or of bytes as they come, without their ends (LF or CRLF) and without a byte order mark. */
export async function* linesOf(from: string | AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder("utf-8");
  let rest = "";
  for await (const bytes of typeof from === "string" ? bytesOf(from) : from) {
    rest += decoder.decode(bytes, { stream: true });
    const lines = rest.split("\n");
    rest = lines.pop()!;
    for (const line of lines) yield line.endsWith("\r") ? line.slice(0, -1) : line;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest.endsWith("\r") ? rest.slice(0, -1) : rest;
}

/** The bytes of a file in pieces; each is overwritten by the next. */
async function* bytesOf(path: string): AsyncIterable<Uint8Array> {
  const stat = statSync(path);
  if (stat.isFile() && stat.size <= CHUNK) {
    yield readFileSync(path);
    return;
  }
  const file = await open(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(CHUNK);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, CHUNK);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function lineOf(row: RowData, index: number): string {
  try {
    return canonicalJson(row);
  } catch (error) {
    if (!(error instanceof NotCanonical)) throw error;
    throw new TaskError({
      code: "row-not-json",
      message: `row ${index + 1} has ${error.value} in ${error.path.join(".") || "place of an object"}, which JSON cannot hold`,
    });
  }
}

function noteType(types: Map<string, ColumnType>, name: string, value: Json): void {
  const known = types.get(name);
  if (known === "any") return;
  const type = columnTypeOf(value);
  // An empty list fits both.
  if (known === "messages" && Array.isArray(value) && value.length === 0) return;
  types.set(name, known === undefined || known === type ? type : "any");
}

/** What a value is as the value of a column. */
export function columnTypeOf(value: Json): ColumnType {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "boolean";
  if (Array.isArray(value)) return value.length > 0 && value.every(isMessage) ? "messages" : "list";
  return "any";
}

function isMessage(value: Json): boolean {
  return value !== null && typeof value === "object" && "role" in value && "content" in value;
}
