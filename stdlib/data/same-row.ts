// The input and output of transforms that pass rows on as they are.
import { type CallFacts, dataset, type InputSpec, type Type } from "../../grammar/index.ts";

export const anyRows: InputSpec = {
  name: "rows",
  type: dataset({ columns: {} }),
  doc: "The rows before the pipe.",
};

export function sameRow({ row }: CallFacts): Type {
  return row ? dataset(row) : { kind: "any" };
}
