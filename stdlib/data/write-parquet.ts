// Writes the rows of a dataset as a Parquet file: one pass learns the types of the columns, another writes groups of rows.
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import { type RowData, type Rows, readRows } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";

/** Rows that are in memory together. */
const GROUP = 10_000;

/** `dir` is a dataset artifact. A column whose values have no type in common holds JSON. */
export async function writeParquet(dir: string, file: string): Promise<void> {
  let all: Shape = { kind: "record", fields: new Map() };
  for await (const row of readRows(dir)) all = together(all, shapeOf(row));
  const { fields } = all as Extract<Shape, { kind: "record" }>;
  const columns = [...fields].filter(([, shape]) => shape.kind !== "nothing");
  const root = { name: "root", num_children: columns.length };
  const schema = [root, ...columns.flatMap(([name, shape]) => elements(name, shape))];
  const parquet = new ParquetWriter({ writer: fileWriter(file), schema });
  for await (const rows of groups(readRows(dir))) {
    const columnData = columns.map(([name, shape]) => ({
      name,
      data: rows.map((row) => asWritten(row[name] ?? null, shape)),
    }));
    await parquet.write({ columnData, rowGroupSize: GROUP });
  }
  await parquet.finish();
}

async function* groups(rows: Rows): AsyncGenerator<RowData[]> {
  let group: RowData[] = [];
  for await (const row of rows) {
    if (group.push(row) < GROUP) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

type Shape =
  /** Only nulls so far, or nothing inside. */
  | { readonly kind: "nothing" }
  | { readonly kind: "boolean" | "integer" | "number" | "string" | "json" }
  | { readonly kind: "list"; readonly of: Shape }
  | { readonly kind: "record"; readonly fields: ReadonlyMap<string, Shape> };

function shapeOf(value: Json): Shape {
  if (value === null) return { kind: "nothing" };
  if (typeof value === "boolean" || typeof value === "string")
    return { kind: typeof value as "boolean" | "string" };
  if (typeof value === "number") return { kind: Number.isSafeInteger(value) ? "integer" : "number" };
  if (Array.isArray(value)) {
    const items = value as readonly Json[];
    return { kind: "list", of: items.map(shapeOf).reduce(together, { kind: "nothing" }) };
  }
  const fields = Object.entries(value).map(([name, of]) => [name, shapeOf(of)] as const);
  return { kind: "record", fields: new Map(fields) };
}

/** What holds the values of both. */
function together(a: Shape, b: Shape): Shape {
  if (a.kind === "nothing") return b;
  if (b.kind === "nothing") return a;
  if (a.kind === "list" && b.kind === "list") return { kind: "list", of: together(a.of, b.of) };
  if (a.kind === "record" && b.kind === "record") {
    const fields = new Map(a.fields);
    for (const [name, shape] of b.fields)
      fields.set(name, together(fields.get(name) ?? { kind: "nothing" }, shape));
    return { kind: "record", fields };
  }
  if (a.kind === b.kind) return a;
  const numbers = [a.kind, b.kind].every((kind) => kind === "integer" || kind === "number");
  return { kind: numbers ? "number" : "json" };
}

type Element = ConstructorParameters<typeof ParquetWriter>[0]["schema"][number];

/** A column and, after it, what is inside of it, as Parquet lists its schema. */
function elements(name: string, shape: Shape): Element[] {
  const own = { name, repetition_type: "OPTIONAL" } as const;
  switch (shape.kind) {
    case "boolean":
      return [{ ...own, type: "BOOLEAN" }];
    case "integer":
      return [{ ...own, type: "INT64" }];
    case "number":
      return [{ ...own, type: "DOUBLE" }];
    case "list":
      return [
        { ...own, converted_type: "LIST", logical_type: { type: "LIST" }, num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        ...elements("element", shape.of),
      ];
    case "record": {
      // A group without members is none.
      const inside = [...shape.fields].filter(([, field]) => field.kind !== "nothing");
      if (inside.length === 0) return elements(name, { kind: "json" });
      return [
        { ...own, num_children: inside.length },
        ...inside.flatMap(([field, of]) => elements(field, of)),
      ];
    }
    case "json":
      return [{ ...own, type: "BYTE_ARRAY", converted_type: "JSON" }];
    case "string":
    case "nothing": // of a list: somebody may read it as any
      return [{ ...own, type: "BYTE_ARRAY", converted_type: "UTF8" }];
  }
}

/** Parquet's integers are BigInts to the writer. */
function asWritten(value: Json, shape: Shape): unknown {
  if (value === null) return null;
  if (shape.kind === "integer") return BigInt(value as number);
  if (shape.kind === "list") return (value as readonly Json[]).map((item) => asWritten(item, shape.of));
  if (shape.kind === "record")
    return Object.fromEntries(
      [...shape.fields].map(([name, of]) => [name, asWritten((value as RowData)[name] ?? null, of)]),
    );
  return value;
}
