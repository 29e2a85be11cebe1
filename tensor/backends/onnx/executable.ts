// Runs one session: arrays in, arrays out, and where the device has memory of its own, state that stays there.

import { TensorError } from "../../error.ts";
import type { DType, HostArray } from "../../ir/graph.ts";
import { sizeOf } from "../../shape.ts";
import type { Arrays, CompileOptions, Executable } from "../backend.ts";
import { checkFeeds, type Signature } from "../feeds.ts";
import type { DeviceMemory } from "./device-memory.ts";
import { runInPlace } from "./in-place.ts";
import { type OrtTensor, type Runtime, type Session, viewOf } from "./runtime.ts";

export interface ExecutableOptions {
  readonly state?: CompileOptions["state"];
  /** The outputs that stay on the device. */
  readonly kept: readonly string[];
  readonly memory?: DeviceMemory | undefined;
  readonly profiling?: boolean;
  /** The session ends its conversion of outputs before it begins, see in-place.ts. */
  readonly inPlace?: boolean;
}

export function createExecutable(
  ort: Runtime,
  session: Session,
  signature: Signature,
  { memory, state, kept: staying, profiling, inPlace }: ExecutableOptions,
): Executable {
  const outputs = Object.entries(signature.outputs);
  const kept = new Set(staying);
  let live = true;

  async function feed(array: HostArray, shape: readonly number[], isState: boolean): Promise<OrtTensor> {
    const there = memory?.residents.get(array);
    if (there) return there;
    if (!memory || !isState) return viewOf(ort, array, shape);
    const uploaded = await memory.upload(array, shape);
    memory.residents.put(array, uploaded, { fresh: true });
    return uploaded;
  }

  return {
    async run(feeds, into) {
      if (!live) throw new TensorError("disposed", "this executable was disposed");
      checkFeeds(signature, feeds, into);
      const fed: Record<string, OrtTensor> = {};
      for (const [name, { shape }] of Object.entries(signature.inputs)) {
        fed[`in:${name}`] = await feed(feeds[name]!, shape, state?.(name) ?? false);
      }
      const arrays: Arrays = {};
      for (const [name, v] of outputs) arrays[name] = into?.[name] ?? typedArray(v.dtype, sizeOf(v.shape));
      if (!memory || kept.size === 0) {
        const views = outputs.map(
          ([name, v]) => [`out:${name}`, viewOf(ort, arrays[name]!, v.shape)] as const,
        );
        const into = Object.fromEntries(views);
        await (inPlace ? runInPlace(session, fed, into) : session.run(fed, into));
        for (const [name] of outputs) memory?.residents.drop(arrays[name]!);
        return arrays;
      }
      // With some outputs on the device onnxruntime ignores arrays given for the others.
      const results = await session.run(fed);
      for (const [name] of outputs) {
        const result = results[`out:${name}`]! as OrtTensor;
        if (kept.has(name)) memory.residents.put(arrays[name]!, result);
        else {
          memory.residents.drop(arrays[name]!);
          arrays[name]!.set(result.data as Float32Array);
        }
      }
      return arrays;
    },
    async dispose() {
      if (!live) return;
      live = false;
      if (profiling) session.endProfiling();
      await session.release();
    },
  };
}

function typedArray(dtype: DType, length: number): HostArray {
  if (dtype === "f32") return new Float32Array(length);
  return dtype === "i32" ? new Int32Array(length) : new Uint8Array(length);
}
