// What is known of a model on the hub before it is in the store: its config.json in the cache, or a shape that we know.
import { readFile } from "node:fs/promises";
import type { EstimateRun } from "../../engine/index.ts";
import type { ModelConfig } from "../../tensor/index.ts";
import { modelBytes, modelFacts } from "../training/estimate.ts";
import { knownModels } from "./known-models.ts";
import { cachedModel, type HfParams } from "./run.ts";

export const estimate: EstimateRun<HfParams> = async ({ params }) => {
  const found = cachedModel(params);
  const file = found?.files.find(({ path }) => path === "config.json");
  const config = file
    ? (JSON.parse(await readFile(found!.blob(file), "utf8")) as ModelConfig)
    : knownModels[params.repo];
  if (!config) return { note: `the shape of ${params.repo} shows when it is downloaded` };
  return { facts: modelFacts(config), cost: { disk: modelBytes(config) } };
};
