// The execution providers of onnxruntime: how each is lowered to, opened and named.

import { TensorError } from "../../error.ts";
import { graphicsIdentity } from "../graphics.ts";
import { cpuLowerings } from "./lower-cpu.ts";
import { webgpuLowerings } from "./lower-webgpu.ts";
import type { Lowerings } from "./lowering.ts";
import { cudaLibraries } from "./runtime.ts";

export type OnnxProvider = "cpu" | "webgpu" | "cuda";

interface Provider {
  readonly lowerings: Lowerings;
  /** Keeps state in memory of its own, as tensors that can be fed back. */
  readonly resident: boolean;
  /** What else than the version and the processor's architecture changes bits. */
  identity(): string;
  /** What to do when it does not open. */
  readonly help: string;
  /** Whatever must be so before the runtime is loaded; throws when the provider cannot be there. */
  prepare(): void;
}

const cudaHelp =
  "on Linux x64 with CUDA 12 and cuDNN 9: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12";

export const providers: { readonly [K in OnnxProvider]: Provider } = {
  cpu: {
    help: "run npm ci in the project again",
    lowerings: cpuLowerings,
    resident: false,
    identity: () => "",
    prepare() {},
  },
  webgpu: {
    help: "it needs a GPU with a driver for Vulkan (Linux), Direct3D 12 (Windows) or Metal (macOS); on Linux also the package libvulkan1",
    lowerings: webgpuLowerings,
    resident: true,
    identity: () => `-${graphicsIdentity()}`,
    prepare() {},
  },
  cuda: {
    help: cudaHelp,
    // Its additions by ScatterElements are atomic too.
    lowerings: {
      ...cpuLowerings,
      scatterRows: webgpuLowerings.scatterRows,
      cachedAttention: webgpuLowerings.cachedAttention, // its GroupQueryAttention is for 16 bits
    },
    resident: false,
    identity: () => `-${graphicsIdentity()}`,
    prepare() {
      if (!cudaLibraries()) {
        throw new TensorError("backend", "onnxruntime's CUDA libraries are not installed", cudaHelp);
      }
      // Read by the CUDA libraries when they start: fp32 means fp32, not ten bits of mantissa.
      process.env.NVIDIA_TF32_OVERRIDE ??= "0";
    },
  },
};
