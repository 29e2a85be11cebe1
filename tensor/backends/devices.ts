// The devices that numerics may run on, and what can be said about them without loading a runtime.

import { statSync } from "node:fs";
import { createRequire } from "node:module";
import { graphicsIdentity, mayHaveCuda, mayHaveGraphics } from "./graphics.ts";
import { cudaLibraries, precision } from "./onnx/runtime.ts";
import { installedTf } from "./tfjs/load.ts";

export const devices = ["cpu", "webgpu", "cuda", "tfjs"] as const;
export type Device = (typeof devices)[number];

export function isDevice(name: string): name is Device {
  return (devices as readonly string[]).includes(name);
}

/** The devices worth trying instead of the CPU: none on most machines without a GPU, and cheap to ask. */
export function likelyDevices(): Device[] {
  return [
    ...(mayHaveCuda() && cudaLibraries() ? (["cuda"] as const) : []),
    ...(mayHaveGraphics() ? (["webgpu"] as const) : []),
    ...(mayHaveCuda() && installedTf() === "tfjs-node-gpu" ? (["tfjs"] as const) : []),
  ];
}

const onnxVersion = (): string => versionOf("onnxruntime-node");

export const cpuFingerprint = (): string => `onnx-cpu/${onnxVersion()}/${precision}/${process.arch}`;

/** Changes when a runtime, its native libraries or the graphics hardware do: what was found out before holds no more. */
export function machineStamp(): string {
  const tf = installedTf();
  const cuda = cudaLibraries();
  return [
    process.version,
    process.platform,
    process.arch,
    `onnxruntime ${onnxVersion()}`,
    `${tf} ${versionOf(tf === "tfjs-cpu" ? "@tensorflow/tfjs-core" : `@tensorflow/${tf}`)}`,
    `cuda ${cuda === undefined ? "none" : statSync(cuda).mtimeMs}`,
    graphicsIdentity(),
  ].join(", ");
}

function versionOf(name: string): string {
  return (createRequire(import.meta.url)(`${name}/package.json`) as { version: string }).version;
}
