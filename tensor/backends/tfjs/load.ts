// Finds the best TensorFlow.js that is installed, by import at run time: CUDA, TensorFlow's own library, or plain JavaScript.

import { createRequire } from "node:module";
import type * as core from "@tensorflow/tfjs-core";
import { TensorError } from "../../error.ts";
import { graphicsIdentity } from "../graphics.ts";

export type Tf = typeof core;

export interface LoadedTf {
  readonly tf: Tf;
  /** "tfjs-node-gpu", "tfjs-node" or "tfjs-cpu". */
  readonly name: string;
  /** Package, native library, hardware: what can change bits. */
  readonly fingerprint: string;
}

export type TfPackage = "tfjs-node-gpu" | "tfjs-node" | "tfjs-cpu";

const packages: readonly TfPackage[] = ["tfjs-node-gpu", "tfjs-node", "tfjs-cpu"];

/** The package that would be loaded, without loading it. */
export function installedTf(): TfPackage {
  const { resolve } = createRequire(import.meta.url);
  const there = packages.find((name) => {
    try {
      return name !== "tfjs-cpu" && resolve(`@tensorflow/${name}/package.json`);
    } catch {
      return false;
    }
  });
  return there ?? "tfjs-cpu";
}

export async function loadTf(name: TfPackage, threads: number | undefined): Promise<LoadedTf> {
  prepare(name, threads);
  try {
    const tf = name === "tfjs-cpu" ? await loadPlain() : await loadNative(name);
    tf.enableProdMode(); // the graph is checked already
    await tf.ready();
    const hardware = name === "tfjs-node-gpu" ? `-${graphicsIdentity()}` : "";
    return {
      tf,
      name,
      fingerprint: `${name}/${tf.version_core}${nativeVersion(tf)}/fp32/${process.arch}${hardware}`,
    };
  } catch (cause) {
    const why = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0];
    throw new TensorError(
      "backend",
      `@tensorflow/${name} could not be loaded: ${why}`,
      "see docs/backends.md",
    );
  }
}

/** Read by TensorFlow when its library is loaded. */
function prepare(name: TfPackage, threads: number | undefined): void {
  if (name === "tfjs-cpu") return;
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  if (threads !== undefined) process.env.TF_NUM_INTRAOP_THREADS ??= String(threads);
  if (name === "tfjs-node-gpu") {
    process.env.NVIDIA_TF32_OVERRIDE ??= "0"; // fp32 means fp32, not ten bits of mantissa
    process.env.TF_DETERMINISTIC_OPS ??= "1";
    process.env.TF_FORCE_GPU_ALLOW_GROWTH ??= "true";
  }
}

/** Computed, so that neither the compiler nor a bundler wants packages that need not be there. */
async function loadNative(name: TfPackage): Promise<Tf> {
  const found = (await import(`@tensorflow/${name}`)) as Tf & { default?: Tf };
  return found.default ?? found;
}

async function loadPlain(): Promise<Tf> {
  const found = (await import("@tensorflow/tfjs-core")) as Tf & { default?: Tf };
  await import("@tensorflow/tfjs-backend-cpu");
  const tf = found.default ?? found;
  await tf.setBackend("cpu");
  return tf;
}

function nativeVersion(tf: Tf): string {
  const { binding } = tf.backend() as { binding?: { TF_Version?: string } };
  return binding?.TF_Version === undefined ? "" : `-tf${binding.TF_Version}`;
}
