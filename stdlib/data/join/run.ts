// Joins rows with those of another dataset by the values of their keys.
import {
  canonicalJson,
  type RowData,
  type Rows,
  readRows,
  type TransformRun,
} from "../../../engine/index.ts";

interface Params {
  readonly on: readonly string[];
  readonly how: "inner" | "left";
}

export const join: TransformRun<Params> = {
  async *transform(rows, { params, inputs }): Rows {
    const keyOf = (row: RowData) => canonicalJson(params.on.map((name) => row[name] ?? null));
    const others = new Map<string, RowData[]>();
    for await (const row of readRows(inputs.other![0]!.dir)) {
      const known = others.get(keyOf(row));
      if (known) known.push(row);
      else others.set(keyOf(row), [row]);
    }
    for await (const row of rows) {
      const partners = others.get(keyOf(row));
      if (partners) for (const partner of partners) yield { ...partner, ...row };
      else if (params.how === "left") yield row;
    }
  },
};
