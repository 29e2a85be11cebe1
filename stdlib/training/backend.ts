// Opens the backend that a task was told to run on, and tries out those there are.
import { type Rates, type TaskContext, TaskError } from "../../engine/index.ts";
import {
  type Backend,
  type Device,
  isDevice,
  machineRates,
  onnxBackend,
  type SelfCheck,
  selfcheck,
  stepTime,
  TensorError,
  tfjsBackend,
} from "../../tensor/index.ts";

/** `auto` is resolved where a run starts; a task that is still told so computes on the CPU. */
export async function openBackend({
  threads,
  device,
}: Pick<TaskContext, "threads" | "device">): Promise<Backend> {
  const chosen = device === "auto" ? "cpu" : device;
  if (!isDevice(chosen))
    throw new TaskError({ code: "no-device", message: `there is no device "${device}"` });
  try {
    return chosen === "tfjs"
      ? await tfjsBackend({ threads })
      : await onnxBackend({ provider: chosen, threads });
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    throw new TaskError({
      code: "no-device",
      message: error.message.split("\n")[0]!,
      help: error.help ?? "align doctor says what this machine has",
    });
  }
}

/** What a device does per second, measured on the spot; about a second's work. */
export async function ratesOf(device: string, threads: number): Promise<Rates> {
  return machineRates(await openBackend({ device, threads }));
}

export type BackendReport =
  | {
      readonly device: Device;
      readonly found: true;
      readonly fingerprint: string;
      readonly check: SelfCheck;
      /** Of one training step of a small model; missing where it is far too slow to train on. */
      readonly milliseconds?: number;
    }
  | { readonly device: Device; readonly found: false; readonly problem: string; readonly help?: string };

/** Opens it, holds three training steps against the reference, and times one. */
export async function tryBackend(device: Device, threads: number): Promise<BackendReport> {
  let backend: Backend;
  try {
    backend = await openBackend({ threads, device });
  } catch (error) {
    const { message, help } = error as TaskError;
    return { device, found: false, problem: message, ...(help !== undefined && { help }) };
  }
  const check = await selfcheck(backend);
  const milliseconds = check.ok ? await stepTime(backend) : undefined;
  const { fingerprint } = backend;
  return { device, found: true, fingerprint, check, ...(milliseconds !== undefined && { milliseconds }) };
}
