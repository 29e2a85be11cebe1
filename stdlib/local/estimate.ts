// What is known of a model folder before it is taken into the store: its config.json.
import { dirname } from "node:path";
import type { EstimateRun } from "../../engine/index.ts";
import type { ModelConfig } from "../../tensor/index.ts";
import { openModelFolder } from "../../tensor/io/index.ts";
import { modelBytes, modelFacts } from "../training/estimate.ts";

export const estimate: EstimateRun<{ readonly path: string }> = async ({ files }) => {
  const settings = files
    .path!.filter((file) => file.endsWith("/config.json"))
    .sort((a, b) => a.length - b.length)[0];
  if (settings === undefined) return {};
  const { config } = await openModelFolder(dirname(settings));
  return {
    facts: modelFacts(config, dirname(settings)),
    cost: { disk: modelBytes(config as unknown as ModelConfig) },
  };
};
