// Opens the backend that a task was told to run on, and tries out those there are.
import { availableParallelism } from "node:os";
import type { TaskContext } from "../../engine/index.ts";
import { type Backend, onnxBackend, type SelfCheck, selfcheck } from "../../tensor/index.ts";

export function openBackend(ctx: Pick<TaskContext<unknown>, "threads">): Promise<Backend> {
  return onnxBackend({ threads: ctx.threads });
}

export type BackendReport =
  | { readonly name: string; readonly found: true; readonly fingerprint: string; readonly check: SelfCheck }
  | { readonly name: string; readonly found: false; readonly problem: string };

export async function tryBackends(): Promise<BackendReport[]> {
  const name = "onnx-cpu";
  try {
    const backend = await openBackend({ threads: availableParallelism() });
    return [{ name, found: true, fingerprint: backend.fingerprint, check: await selfcheck(backend) }];
  } catch (error) {
    return [{ name, found: false, problem: error instanceof Error ? error.message : String(error) }];
  }
}
