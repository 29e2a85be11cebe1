// The fingerprint of the numerics that goes into the keys of numeric tasks, known without loading the runtime.
import { createRequire } from "node:module";

/** Equal to the fingerprint of the backend that `openBackend` opens; a test holds them together. */
export function numerics(): string {
  const { version } = createRequire(import.meta.url)("onnxruntime-node/package.json") as { version: string };
  return `onnx-cpu/${version}/fp32/${process.arch}`;
}
