// What is known of a GGUF file before it is unpacked: its header.
import type { EstimateRun } from "../../engine/index.ts";
import type { ModelConfig } from "../../tensor/index.ts";
import { openModelFolder } from "../../tensor/io/index.ts";
import { modelBytes, modelFacts } from "../training/estimate.ts";

export const estimate: EstimateRun<{ readonly path: string }> = async ({ files }) => {
  const [path] = files.path!;
  const { config } = await openModelFolder(path!);
  return { facts: modelFacts(config, path!), cost: { disk: modelBytes(config as unknown as ModelConfig) } };
};
