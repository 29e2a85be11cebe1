// The types of bundle.js, for benchmarks.
import type { BuildOptions } from "esbuild";

export const forNode: BuildOptions;
