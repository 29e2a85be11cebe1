// Checks what a caller feeds to an executable against what it takes, with the name of what is wrong.

import { TensorError } from "../error.ts";
import type { DType, Graph, HostArray } from "../ir/graph.ts";
import { type Shape, showShape, sizeOf } from "../shape.ts";
import type { Arrays } from "./backend.ts";

interface Slot {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What an executable takes and gives, by name. */
export interface Signature {
  readonly inputs: Readonly<Record<string, Slot>>;
  readonly outputs: Readonly<Record<string, Slot>>;
}

export const signatureOf = ({ inputs, outputs }: Graph): Signature => ({
  inputs: Object.fromEntries(inputs.map(({ attrs: { name, shape, dtype } }) => [name, { shape, dtype }])),
  outputs: Object.fromEntries(
    Object.entries(outputs).map(([name, { shape, dtype }]) => [name, { shape, dtype }]),
  ),
});

export function checkFeeds(
  { inputs, outputs }: Signature,
  feeds: Readonly<Arrays>,
  into: Readonly<Arrays> | undefined,
): void {
  for (const [name, { shape, dtype }] of Object.entries(inputs)) {
    const array = feeds[name];
    if (!array) throw new TensorError("missing", `no array was fed for the input "${name}"`);
    checkArray(name, array, shape, dtype);
  }
  for (const [name, array] of Object.entries(into ?? {})) {
    const out = outputs[name];
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
