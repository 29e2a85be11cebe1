// Checks what a caller feeds to an executable against the graph's inputs, with the name of what is wrong.

import { TensorError } from "../error.ts";
import type { DType, Graph, HostArray } from "../ir/graph.ts";
import { showShape, sizeOf } from "../shape.ts";
import type { Arrays } from "./backend.ts";

export function checkFeeds(graph: Graph, feeds: Readonly<Arrays>, into: Readonly<Arrays> | undefined): void {
  for (const { attrs } of graph.inputs) {
    const array = feeds[attrs.name];
    if (!array) throw new TensorError("missing", `no array was fed for the input "${attrs.name}"`);
    checkArray(attrs.name, array, attrs.shape, attrs.dtype);
  }
  for (const [name, array] of Object.entries(into ?? {})) {
    const out = graph.outputs[name];
    if (!out) throw new TensorError("missing", `the graph has no output "${name}"`);
    checkArray(name, array, out.shape, out.dtype);
  }
}

function checkArray(name: string, array: HostArray, shape: readonly number[], dtype: DType): void {
  const fits =
    dtype === "f32"
      ? array instanceof Float32Array || array instanceof Float64Array
      : dtype === "i32"
        ? array instanceof Int32Array
        : array instanceof Uint8Array;
  if (!fits || array.length !== sizeOf(shape)) {
    const got = `${array.constructor.name} of ${array.length}`;
    throw new TensorError("shape", `"${name}" wants ${dtype} ${showShape(shape)}, was fed a ${got}`);
  }
}
