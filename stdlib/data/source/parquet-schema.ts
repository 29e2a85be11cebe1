// The columns of a Parquet file from its footer: what `align check` may know before anything runs.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { SchemaTree } from "hyparquet";
import { parquetMetadata, parquetSchema } from "hyparquet/src/metadata.js";
import type { ColumnType } from "../../../grammar/index.ts";

export function parquetColumns(file: string): Record<string, ColumnType> {
  const { children } = parquetSchema(parquetMetadata(footerOf(file)));
  return Object.fromEntries(children.map((tree) => [tree.element.name, columnType(tree)]));
}

/** Metadata, its length in four bytes, and "PAR1". */
function footerOf(file: string): ArrayBuffer {
  const handle = openSync(file, "r");
  try {
    const { size } = fstatSync(handle);
    const read = (length: number) => {
      const bytes = new Uint8Array(Math.min(length, size));
      readSync(handle, bytes, 0, bytes.length, size - bytes.length);
      return bytes.buffer;
    };
    const length = new DataView(read(8)).getUint32(0, true);
    return read(length + 8);
  } finally {
    closeSync(handle);
  }
}

function columnType({ element, children }: SchemaTree): ColumnType {
  const { type, converted_type: converted, logical_type: logical, repetition_type: repetition } = element;
  if (repetition === "REPEATED" || converted === "LIST" || logical?.type === "LIST") {
    return messages(children) ? "messages" : "list";
  }
  if (converted === "UTF8" || logical?.type === "STRING" || converted === "ENUM") return "string";
  if (converted !== undefined || logical !== undefined) return integer(converted) ? "number" : "any";
  if (type === "BOOLEAN") return "boolean";
  return type === "INT32" || type === "INT64" || type === "FLOAT" || type === "DOUBLE" ? "number" : "any";
}

const integer = (converted: string | undefined) => /^U?INT_/.test(converted ?? "");

/** list → element → role and content. */
function messages(children: readonly SchemaTree[]): boolean {
  let inside = children;
  while (inside.length === 1) inside = inside[0]!.children;
  const names = inside.map(({ element }) => element.name);
  return names.includes("role") && names.includes("content");
}
