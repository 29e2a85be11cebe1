// Runs the contract on WebGPU and prints a JSON line per check: what crashes here takes no test with it.

import { TensorError } from "../error.ts";
import { selfcheck } from "../selfcheck.ts";
import { contract } from "./contract.ts";
import { onnxBackend } from "./onnx/index.ts";

export type Line =
  | { readonly title: string; readonly problem?: string }
  | { readonly absent: string }
  | { readonly losses: number; readonly weights: number };

const say = (line: Line) => process.stdout.write(`${JSON.stringify(line)}\n`);

try {
  const backend = await onnxBackend({ provider: "webgpu" });
  for (const { title, run } of contract) {
    const problem = await run(backend).then(
      () => undefined,
      (error: Error) => error.message,
    );
    say({ title, ...(problem !== undefined && { problem }) });
  }
  const drift = await selfcheck(backend, { steps: 20, against: await onnxBackend() });
  say({ losses: drift.lossError, weights: drift.weightError });
} catch (error) {
  if (!(error instanceof TensorError && error.code === "backend")) throw error;
  say({ absent: error.message });
}
