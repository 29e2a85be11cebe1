// Declares the transforms that choose rows by place: take, skip, sample, shuffle and concat.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import { type Type as AlignType, type CallFacts, dataset } from "../../../grammar/index.ts";
import { anyRows, sameRow } from "../same-row.ts";
import { columnsOfBoth } from "../source/peek.ts";

const n = Type.Integer({ minimum: 0, description: "How many rows.", "x-unit": "rows" });
const seed = Type.Integer({
  minimum: 0,
  default: 42,
  description: "Of the random order.",
  "x-source": "alignment-handbook",
});

export const take = defineTransform(
  {
    name: "take",
    version: 1,
    doc: "The first n rows.",
    inputs: [anyRows],
    params: Type.Object({ n }),
    positional: ["n"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.take),
  () => import("./estimate.ts").then((m) => m.upTo),
);

export const skip = defineTransform(
  {
    name: "skip",
    version: 1,
    doc: "All but the first n rows.",
    inputs: [anyRows],
    params: Type.Object({ n: Type.Integer({ ...n, "x-rehearse": { most: 64 } }) }),
    positional: ["n"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.skip),
);

export const sample = defineTransform(
  {
    name: "sample",
    version: 1,
    doc: "n rows drawn at random without replacement, in their old order.",
    inputs: [anyRows],
    params: Type.Object({ n, seed }),
    positional: ["n"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.sample),
  () => import("./estimate.ts").then((m) => m.upTo),
);

export const shuffle = defineTransform(
  {
    name: "shuffle",
    version: 1,
    doc: "All rows in a random order.",
    inputs: [anyRows],
    params: Type.Object({ seed }),
    positional: ["seed"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.shuffle),
);

export const concat = defineTransform(
  {
    name: "concat",
    version: 1,
    doc: "The rows, then the rows of the other datasets: `concat([b, c])`.",
    inputs: [
      anyRows,
      { name: "others", type: dataset({ columns: {} }), variadic: true, doc: "One dataset, or a list." },
    ],
    params: Type.Object({}),
    output: columnsOfAll,
  },
  () => import("./run.ts").then((m) => m.concat),
);

/** What every dataset has can be relied on. */
function columnsOfAll({ row, inputs }: CallFacts): AlignType {
  const others = inputs.others;
  const other = others?.kind === "list" ? others.of : others;
  if (!row || other?.kind !== "dataset") return { kind: "any" };
  const columns = columnsOfBoth(row.columns, other.row.columns);
  return dataset({ ...(row.name === other.row.name && row.name ? { name: row.name } : {}), columns });
}
