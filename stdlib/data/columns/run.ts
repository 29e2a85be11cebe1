// Changes the columns of rows, one row at a time.
import { type RowData, type Rows, TaskError, type TransformRun } from "../../../engine/index.ts";
import { type Expr, evaluateRow, type Json } from "../../../grammar/index.ts";
import { renderRow } from "../../template/render-row.ts";

type Columns = Readonly<Record<string, Expr>>;

export const select: TransformRun<Columns> = {
  async *transform(rows, { params }): Rows {
    let number = 0;
    for await (const row of rows) {
      number++;
      const made: Record<string, Json> = {};
      for (const [name, expr] of Object.entries(params)) made[name] = valueIn(expr, row, number);
      yield made;
    }
  },
};

export const rename: TransformRun<Columns> = {
  async *transform(rows, { params }): Rows {
    const moved = new Set(Object.values(params).map((expr) => (expr.kind === "column" ? expr.name : "")));
    let number = 0;
    for await (const row of rows) {
      number++;
      const made: Record<string, Json> = {};
      for (const [name, value] of Object.entries(row)) if (!moved.has(name)) made[name] = value;
      for (const [name, expr] of Object.entries(params)) made[name] = valueIn(expr, row, number);
      yield made;
    }
  },
};

export const filter: TransformRun<{ readonly where: unknown }> = {
  async *transform(rows, { params }): Rows {
    const where = params.where as Expr;
    let number = 0;
    for await (const row of rows) {
      number++;
      const value = valueIn(where, row, number);
      if (typeof value !== "boolean") {
        throw new TaskError({
          code: "filter-not-boolean",
          message: `\`${where.text}\` is ${JSON.stringify(value)} for row ${number}; true or false is wanted`,
          help: `compare it with something: \`${where.text} == …\``,
        });
      }
      if (value) yield row;
    }
  },
};

export const map: TransformRun<{ readonly template: unknown }> = {
  async *transform(rows, { params }): Rows {
    const render = renderRow(params.template as Json);
    for await (const row of rows) yield render(row);
  },
};

function valueIn(expr: Expr, row: RowData, number: number): Json {
  const value = evaluateRow(expr, row);
  if (value !== undefined) return value;
  throw new TaskError({
    code: "no-value",
    message: `\`${expr.text}\` has no value for row ${number}, whose columns are ${Object.keys(row).join(", ")}`,
    help: "a column is missing there, or a number is divided by zero",
  });
}
