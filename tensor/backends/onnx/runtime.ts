// Loads onnxruntime on first use, and says which of its providers can be there.

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { TensorError } from "../../error.ts";
import type { HostArray } from "../../ir/graph.ts";
import type { Shape } from "../../shape.ts";

export type Runtime = typeof import("onnxruntime-node");
export type Session = Awaited<ReturnType<Runtime["InferenceSession"]["create"]>>;
export type OrtTensor = InstanceType<Runtime["Tensor"]>;

/**
 * What is computed with, for fingerprints. The number goes up when a change of ours to what onnxruntime is given changes last bits, so that no
 * result of older bits is taken for one of the newer; 2: decoding attends, rotates and normalises in fewer ops;
 * 3: the weights that tokens are drawn by come out of the graph;
 * 4: a prompt's last layer and that of PPO and reward models work on the rows that count.
 */
export const precision = "fp32.4";

export async function loadRuntime(): Promise<Runtime> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new TensorError(
      "backend",
      `onnxruntime-node could not be loaded: ${why}`,
      "npm install onnxruntime-node",
    );
  }
}

/** onnxruntime's CUDA library, which its npm package lacks: its own install script puts it beside the binding. */
export function cudaLibraries(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const home = dirname(createRequire(import.meta.url).resolve("onnxruntime-node/package.json"));
  const path = `${home}/bin/napi-v6/linux/x64/libonnxruntime_providers_cuda.so`;
  return existsSync(path) ? path : undefined;
}

/** A tensor over the array's own memory. */
export function viewOf(ort: Runtime, data: HostArray, shape: Shape): OrtTensor {
  if (data instanceof Float32Array) return new ort.Tensor("float32", data, shape);
  if (data instanceof Int32Array) return new ort.Tensor("int32", data, shape);
  if (data instanceof Uint8Array) return new ort.Tensor("bool", data, shape);
  throw new TensorError("backend", "onnx backends run in fp32: feed Float32Array, not Float64Array");
}
