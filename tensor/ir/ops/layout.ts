// Shape rules and gradients of ops that reduce, reorder or index without arithmetic of their own.

import { check } from "../../error.ts";
import { broadcastShapes, sameShape, showShape, sizeOf } from "../../shape.ts";
import type { Builder } from "../builder.ts";
import type { Value } from "../graph.ts";
import { f32, type OpDefs, want } from "../op.ts";
import { sumTo } from "./elementwise.ts";

type LayoutName =
  | "sum"
  | "max"
  | "argmax"
  | "reshape"
  | "transpose"
  | "expand"
  | "slice"
  | "pad"
  | "concat"
  | "split"
  | "gatherRows"
  | "scatterRows"
  | "takeAlong"
  | "addAlong";

const without = (shape: readonly number[], axes: readonly number[]) =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d));

const scatterRows = (b: Builder, g: Value, ids: Value, rows: number) => b.scatterRows(g, ids, rows);

/**
 * What scatterRows does, for ids [R] that differ: instead of adding D numbers per id, which is done by one thread, it is
 * worked out which row of g [R,D] goes where, and the others take a row of zeros.
 */
function placeRows(b: Builder, g: Value, ids: Value, rows: number): Value {
  const [R, D] = g.shape as [number, number];
  const numbers = b.constant(
    Float32Array.from({ length: R }, (_, r) => r + 1),
    [R, 1],
  );
  const from = b.reshape(b.cast(b.scatterRows(numbers, ids, rows), "i32"), [rows]);
  return b.gatherRows(b.concat([b.expand(b.scalar(0), [1, D]), g], 0), from);
}

export const layout: OpDefs<LayoutName> = {
  sum: {
    infer: ([x], { axes }) => [f32(without(x!.shape, axes))],
    vjp: (b, node, [g]) => [g && b.expand(g, node.inputs[0]!.shape)],
  },
  // The gradient is shared equally among ties.
  max: {
    infer: ([x], { axes }) => [f32(without(x!.shape, axes))],
    vjp: (b, node, [g]) => {
      if (!g) return [];
      const hit = b.cast(b.equal(node.inputs[0]!, node.outputs[0]!), "f32");
      return [b.mul(hit, b.div(g, b.sum(hit, node.attrs.axes)))];
    },
  },
  /** x [..., n] → index of the largest, the first at a tie: [...]. */
  argmax: {
    infer: ([x]) => [{ shape: x!.shape.slice(0, -1), dtype: "i32" }],
    vjp: () => [undefined],
  },
  reshape: {
    infer: ([x], { shape }) => {
      check(sizeOf(x!.shape) === sizeOf(shape), "shape", () => {
        return `reshape: ${showShape(x!.shape)} has ${sizeOf(x!.shape)} elements, ${showShape(shape)} has ${sizeOf(shape)}`;
      });
      return [{ shape, dtype: x!.dtype }];
    },
    vjp: (b, node, [g]) => [g && b.reshape(g, node.inputs[0]!.shape)],
  },
  transpose: {
    infer: ([x], { perm }) => {
      const ok = [...perm].sort((p, q) => p - q).every((p, i) => p === i) && perm.length === x!.shape.length;
      check(ok, "shape", () => `transpose: ${showShape(perm)} is no permutation of ${showShape(x!.shape)}`);
      return [{ shape: perm.map((p) => x!.shape[p]!), dtype: x!.dtype }];
    },
    vjp: (b, node, [g]) => {
      const { perm } = node.attrs;
      return [
        g &&
          b.transpose(
            g,
            perm.map((_, i) => perm.indexOf(i)),
          ),
      ];
    },
  },
  expand: {
    infer: ([x], { shape }) => {
      const out = broadcastShapes(x!.shape, shape, "expand");
      check(sameShape(out, shape), "shape", () => `expand: ${showShape(x!.shape)} to ${showShape(shape)}`);
      return [{ shape, dtype: x!.dtype }];
    },
    vjp: (b, node, [g]) => [g && sumTo(b, g, node.inputs[0]!.shape)],
  },
  slice: {
    infer: ([x], { axis, start, end }) => {
      const n = x!.shape[axis]!;
      check(0 <= start && start < end && end <= n, "shape", () => `slice: ${start}..${end} of ${n}`);
      return [{ shape: x!.shape.map((d, i) => (i === axis ? end - start : d)), dtype: x!.dtype }];
    },
    vjp: (b, node, [g]) => {
      const { axis, start, end } = node.attrs;
      return [g && b.pad(g, axis, start, node.inputs[0]!.shape[axis]! - end)];
    },
  },
  /** Zeros before and after along one axis. */
  pad: {
    infer: ([x], { axis, before, after }) => {
      check(before >= 0 && after >= 0, "shape", () => `pad: ${before}, ${after} are negative`);
      return [{ shape: x!.shape.map((d, i) => (i === axis ? d + before + after : d)), dtype: x!.dtype }];
    },
    vjp: (b, node, [g]) => {
      const { axis, before } = node.attrs;
      return [g && b.slice(g, axis, before, before + node.inputs[0]!.shape[axis]!)];
    },
  },
  concat: {
    infer: (inputs, { axis }) => {
      const first = inputs[0]!;
      for (const x of inputs) {
        const fits = x.shape.length === first.shape.length && x.dtype === first.dtype;
        const rest = x.shape.every((d, i) => i === axis || d === first.shape[i]);
        check(
          fits && rest,
          "shape",
          () => `concat on axis ${axis}: ${inputs.map((v) => showShape(v.shape)).join(", ")}`,
        );
      }
      const total = inputs.reduce((n, x) => n + x.shape[axis]!, 0);
      return [{ shape: first.shape.map((d, i) => (i === axis ? total : d)), dtype: first.dtype }];
    },
    vjp: (b, node, [g]) => {
      const { axis } = node.attrs;
      return g
        ? b.split(
            g,
            axis,
            node.inputs.map((x) => x.shape[axis]!),
          )
        : [];
    },
  },
  split: {
    infer: ([x], { axis, sizes }) => {
      const total = sizes.reduce((n, s) => n + s, 0);
      check(total === x!.shape[axis], "shape", () => `split: ${showShape(sizes)} of ${x!.shape[axis]}`);
      return sizes.map((s) => ({ shape: x!.shape.map((d, i) => (i === axis ? s : d)), dtype: x!.dtype }));
    },
    vjp: (b, node, g) => {
      const parts = node.outputs.map((out, i) => g[i] ?? b.expand(b.scalar(0), out.shape));
      return [b.concat(parts, node.attrs.axis)];
    },
  },
  /** table [V,D], ids [...] → [...,D]. */
  gatherRows: {
    infer: ([table, ids]) => {
      want(ids!, "i32", "gatherRows");
      check(
        table!.shape.length === 2,
        "shape",
        () => `gatherRows: table is ${showShape(table!.shape)}, wants [V,D]`,
      );
      return [{ shape: [...ids!.shape, table!.shape[1]!], dtype: table!.dtype }];
    },
    vjp: (b, node, [g]) => {
      const [table, ids] = node.inputs as [Value, Value];
      const back = node.attrs.distinct ? placeRows : scatterRows;
      return [g && back(b, g, ids, table.shape[0]!), undefined];
    },
  },
  /** updates [...,D] added into zeros [rows,D] at ids [...]. */
  scatterRows: {
    infer: ([updates, ids], { rows }) => {
      want(ids!, "i32", "scatterRows");
      const ok = sameShape(updates!.shape.slice(0, -1), ids!.shape);
      check(
        ok,
        "shape",
        () => `scatterRows: updates ${showShape(updates!.shape)}, ids ${showShape(ids!.shape)}`,
      );
      return [f32([rows, updates!.shape.at(-1)!])];
    },
    vjp: (b, node, [g]) => [g && b.gatherRows(g, node.inputs[1]!), undefined],
  },
  /** x [...,V], ids [...] → x at ids along the last axis: [...]. */
  takeAlong: {
    infer: ([x, ids]) => {
      want(ids!, "i32", "takeAlong");
      const ok = sameShape(x!.shape.slice(0, -1), ids!.shape);
      check(ok, "shape", () => `takeAlong: x ${showShape(x!.shape)}, ids ${showShape(ids!.shape)}`);
      return [f32(ids!.shape)];
    },
    vjp: (b, node, [g]) => {
      const [x, ids] = node.inputs;
      return [g && b.addAlong(b.expand(b.scalar(0), x!.shape), ids!, g), undefined];
    },
  },
  /** base [...,V] with updates [...] added at ids [...] along the last axis. */
  addAlong: {
    infer: ([base, ids, updates]) => {
      want(ids!, "i32", "addAlong");
      const rows = base!.shape.slice(0, -1);
      const ok = sameShape(rows, ids!.shape) && sameShape(rows, updates!.shape);
      check(
        ok,
        "shape",
        () => `addAlong: ${[base, ids, updates].map((v) => showShape(v!.shape)).join(", ")}`,
      );
      return [f32(base!.shape)];
    },
    vjp: (b, node, [g]) => [g, undefined, g && b.takeAlong(g, node.inputs[1]!)],
  },
};
