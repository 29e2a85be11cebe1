// The meaning of every op, as plainly as it can be written. Never optimised.

import type { NodeOf, OpName } from "../../ir/graph.ts";
import { broadcastStrides, stridesOf } from "../../shape.ts";
import { type Alloc, dot, mapInto, type NdArray, rowsOf, walk } from "./array.ts";
import { erf } from "./erf.ts";
import { fusedKernels } from "./fused.ts";

export type Kernel<K extends OpName> = (
  node: NodeOf<K>,
  inputs: readonly NdArray[],
  alloc: Alloc,
) => NdArray[];
export type Kernels<K extends OpName> = { readonly [P in K]: Kernel<P> };

const elementwise =
  (f: (...xs: number[]) => number): Kernel<OpName> =>
  (node, inputs, alloc) => [mapInto(alloc(node.outputs[0]!.shape, node.outputs[0]!.dtype), inputs, f)];

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

const reduce =
  (start: number, f: (acc: number, x: number) => number): Kernel<"sum"> =>
  (node, [x], alloc) => {
    const out = alloc(node.outputs[0]!.shape);
    const acc = new Float64Array(out.data.length).fill(start);
    const strides = broadcastStrides(out.shape, x!.shape);
    walk(x!.shape, (flat, at) => {
      const k = dot(at, strides);
      acc[k] = f(acc[k]!, x!.data[flat]!);
    });
    out.data.set(acc);
    return [out];
  };

const same: Kernel<OpName> = (_node, [x]) => [x!];

export const kernels: Kernels<OpName> = {
  input: () => [],
  constant: ({ attrs }, _inputs, alloc) => {
    const out = alloc(attrs.shape, attrs.dtype);
    out.data.set(attrs.data);
    return [out];
  },
  neg: elementwise((x) => -x),
  exp: elementwise(Math.exp),
  log: elementwise(Math.log),
  sqrt: elementwise(Math.sqrt),
  reciprocal: elementwise((x) => 1 / x),
  abs: elementwise(Math.abs),
  sign: elementwise(Math.sign),
  sigmoid: elementwise(sigmoid),
  tanh: elementwise(Math.tanh),
  erf: elementwise(erf),
  relu: elementwise((x) => Math.max(x, 0)),
  softplus: elementwise((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  silu: elementwise((x) => x * sigmoid(x)),
  cast: (node, [x], alloc) => {
    const out = alloc(x!.shape, node.attrs.to);
    const f = node.attrs.to === "bool" ? (v: number) => Number(v !== 0) : Math.trunc;
    return [node.attrs.to === "f32" ? mapInto(out, [x!], (v) => v) : mapInto(out, [x!], f)];
  },
  stopGradient: same,
  barrier: same,
  add: elementwise((x, y) => x! + y!),
  sub: elementwise((x, y) => x! - y!),
  mul: elementwise((x, y) => x! * y!),
  div: elementwise((x, y) => x! / y!),
  maximum: elementwise(Math.max),
  minimum: elementwise(Math.min),
  equal: elementwise((x, y) => Number(x === y)),
  greater: elementwise((x, y) => Number(x! > y!)),
  greaterEqual: elementwise((x, y) => Number(x! >= y!)),
  select: elementwise((c, x, y) => (c !== 0 ? x! : y!)),
  sum: reduce(0, (acc, x) => acc + x),
  max: reduce(Number.NEGATIVE_INFINITY, Math.max) as unknown as Kernel<"max">,
  argmax: (node, [x], alloc) => {
    const out = alloc(node.outputs[0]!.shape, "i32");
    const [rows, width] = rowsOf(x!.shape);
    for (let r = 0; r < rows; r++) {
      const row = x!.data.subarray(r * width, (r + 1) * width);
      out.data[r] = row.indexOf(Math.max(...row));
    }
    return [out];
  },
  reshape: ({ attrs }, [x]) => [{ ...x!, shape: attrs.shape }],
  transpose: ({ attrs, outputs }, [x], alloc) => {
    const out = alloc(outputs[0]!.shape, x!.dtype);
    const from = stridesOf(x!.shape);
    const strides = attrs.perm.map((p) => from[p]!);
    walk(out.shape, (flat, at) => {
      out.data[flat] = x!.data[dot(at, strides)]!;
    });
    return [out];
  },
  expand: ({ attrs }, [x], alloc) => [mapInto(alloc(attrs.shape, x!.dtype), [x!], (v) => v)],
  slice: ({ attrs, outputs }, [x], alloc) => [
    part(x!, alloc(outputs[0]!.shape, x!.dtype), attrs.axis, attrs.start),
  ],
  pad: ({ attrs, outputs }, [x], alloc) => [
    paste(x!, alloc(outputs[0]!.shape, x!.dtype), attrs.axis, attrs.before),
  ],
  concat: ({ attrs, outputs }, inputs, alloc) => {
    const out = alloc(outputs[0]!.shape, outputs[0]!.dtype);
    let offset = 0;
    for (const x of inputs) {
      paste(x, out, attrs.axis, offset);
      offset += x.shape[attrs.axis]!;
    }
    return [out];
  },
  split: ({ attrs, outputs }, [x], alloc) => {
    let offset = 0;
    return outputs.map(({ shape }, i) => {
      const out = part(x!, alloc(shape, x!.dtype), attrs.axis, offset);
      offset += attrs.sizes[i]!;
      return out;
    });
  },
  gatherRows: ({ outputs }, [table, ids], alloc) => {
    const out = alloc(outputs[0]!.shape, table!.dtype);
    const D = table!.shape[1]!;
    ids!.data.forEach((id, i) => {
      out.data.set(table!.data.subarray(id * D, (id + 1) * D), i * D);
    });
    return [out];
  },
  scatterRows: ({ outputs }, [updates, ids], alloc) => {
    const out = alloc(outputs[0]!.shape);
    const D = out.shape[1]!;
    const acc = new Float64Array(out.data.length);
    ids!.data.forEach((id, i) => {
      for (let j = 0; j < D; j++) acc[id * D + j]! += updates!.data[i * D + j]!;
    });
    out.data.set(acc);
    return [out];
  },
  takeAlong: ({ outputs }, [x, ids], alloc) => {
    const out = alloc(outputs[0]!.shape);
    const [, V] = rowsOf(x!.shape);
    ids!.data.forEach((id, i) => {
      out.data[i] = x!.data[i * V + id]!;
    });
    return [out];
  },
  addAlong: (_node, [base, ids, updates], alloc) => {
    const out = alloc(base!.shape);
    const [, V] = rowsOf(base!.shape);
    out.data.set(base!.data);
    ids!.data.forEach((id, i) => {
      out.data[i * V + id]! += updates!.data[i]!;
    });
    return [out];
  },
  ...fusedKernels,
};

/** Copies the part of x that starts at `start` along `axis` and has out's shape. */
function part(x: NdArray, out: NdArray, axis: number, start: number): NdArray {
  const strides = stridesOf(x.shape);
  walk(out.shape, (flat, at) => {
    out.data[flat] = x.data[dot(at, strides) + start * strides[axis]!]!;
  });
  return out;
}

/** Copies the whole of x into out at `start` along `axis`. */
function paste(x: NdArray, out: NdArray, axis: number, start: number): NdArray {
  const strides = stridesOf(out.shape);
  walk(x.shape, (flat, at) => {
    out.data[dot(at, strides) + start * strides[axis]!] = x.data[flat]!;
  });
  return out;
}
