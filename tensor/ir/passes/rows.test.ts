// Rows taken early: the same numbers and gradients as rows taken late, of less work.

import { expect, test } from "vitest";
import { referenceBackend } from "../../backends/reference/index.ts";
import { tensor } from "../../host.ts";
import { buildModel } from "../../models/model.ts";
import { tinyConfig, tinyParams } from "../../models/testing.ts";
import { grad } from "../autodiff.ts";
import { Builder } from "../builder.ts";
import { flopsOf } from "../cost.ts";
import { type Graph, reachable, type Value } from "../graph.ts";
import { takeRows } from "./rows.ts";

const params = tinyParams();
const ids = tensor(Int32Array.of(5, 1, 7, 2, 9, 3, 4, 4, 8, 6), [2, 5]);
const chosen = Int32Array.of(1, 2, 3, 8);

/** The states at four of ten positions, and the gradient of every weight for a scalar of them. */
function statesAndGradients(take: (b: Builder, hidden: Value, rows: Value) => Value): Graph {
  const b = new Builder();
  const weights = Object.fromEntries(
    Object.entries(params).map(([name, { shape }]) => [name, b.input(`p/${name}`, shape)]),
  );
  const model = buildModel(b, tinyConfig, weights);
  const states = take(b, model.hidden(b.input("ids", [2, 5], "i32")), b.input("rows", [4], "i32"));
  const loss = b.sum(b.square(model.head(states)));
  const names = Object.keys(weights);
  const back = grad(b, loss, Object.values(weights));
  return b.finish({ states, ...Object.fromEntries(names.map((name, i) => [`g/${name}`, back[i]!])) });
}

const late = statesAndGradients((b, x, rows) => b.gatherRows(x, rows));
const early = statesAndGradients(takeRows);

test("states and gradients are those of rows taken at the end", async () => {
  const feeds = {
    ...Object.fromEntries(Object.entries(params).map(([name, { data }]) => [`p/${name}`, data])),
    ids: ids.data,
    rows: chosen,
  };
  const backend = referenceBackend();
  const [wanted, got] = [
    await (await backend.compile(late, { verbatim: true })).run(feeds),
    await (await backend.compile(early, { verbatim: true })).run(feeds),
  ];
  for (const [name, array] of Object.entries(wanted)) {
    array.forEach((x, i) => {
      expect(Math.abs(x - got[name]![i]!), `${name}[${i}]`).toBeLessThan(1e-4);
    });
  }
});

test("behind its attention the last layer works on those rows alone", () => {
  const rowsOf = (graph: Graph) =>
    reachable([graph.outputs.states!]).flatMap(({ op, outputs }) =>
      op === "swiglu" ? [outputs[0]!.shape[0]] : [],
    );
  const whole = new Array<number>(tinyConfig.num_hidden_layers).fill(10);
  expect(rowsOf(late)).toEqual(whole);
  expect(rowsOf(early)).toEqual([...whole.slice(1), 4]);
  expect(flopsOf(early)).toBeLessThan(flopsOf(late));
});

test("what others need in whole stays whole", () => {
  const b = new Builder();
  const [x, w, rows] = [b.input("x", [6, 3]), b.input("w", [3, 3]), b.input("rows", [2], "i32")];
  const first = b.matmul(x, w);
  const mixed = b.matmul(first, b.matmul(first, first, { transA: true })); // its right side is of all rows
  const taken = takeRows(b, b.add(mixed, x), rows);
  const products = reachable([taken]).flatMap(({ op, outputs }) =>
    op === "matmul" ? [outputs[0]!.shape] : [],
  );
  expect(products).toEqual([
    [6, 3],
    [3, 3],
    [2, 3],
  ]);
});
