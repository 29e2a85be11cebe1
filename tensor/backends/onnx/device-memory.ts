// State in the memory of a WebGPU device: carried there and back by sessions of one Identity node.

import type { HostArray } from "../../ir/graph.ts";
import type { Shape } from "../../shape.ts";
import { Residents } from "../residents.ts";
import { encodeModel } from "./encode.ts";
import { type OrtTensor, type Runtime, type Session, viewOf } from "./runtime.ts";

type Open = (model: Uint8Array, more?: { preferredOutputLocation: "gpu-buffer" }) => Promise<Session>;

export interface DeviceMemory {
  readonly residents: Residents<OrtTensor>;
  upload(array: HostArray, shape: Shape): Promise<OrtTensor>;
  reclaim(arrays: Iterable<HostArray>): Promise<void>;
}

// The device belongs to the process, so an array stands for the same state in every backend opened on it.
const residents = new Residents<OrtTensor>((tensor) => tensor.dispose());

/** `getData()` of a tensor in a device's buffer aborts the process in onnxruntime-node 1.30: hence the sessions. */
export function deviceMemory(ort: Runtime, open: Open): DeviceMemory {
  const once = (location?: "gpu-buffer") => {
    let session: Promise<Session> | undefined;
    return async (x: OrtTensor): Promise<OrtTensor> => {
      session ??= open(identityModel, location && { preferredOutputLocation: location });
      return (await (await session).run({ x })).y as OrtTensor;
    };
  };
  const [up, down] = [once("gpu-buffer"), once()];
  return {
    residents,
    upload: (array, shape) => up(viewOf(ort, array, shape)),
    async reclaim(arrays) {
      for (const array of arrays) {
        const tensor = residents.stale(array);
        if (tensor) array.set((await down(tensor)).data as Float32Array);
        residents.drop(array);
      }
    },
  };
}

/** y = x, of any shape. */
export const identityModel = encodeModel({
  nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  inputs: [{ name: "x", dtype: "f32" }],
  outputs: [{ name: "y", dtype: "f32" }],
  initializers: [],
});
