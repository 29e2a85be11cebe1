import { expect, test } from "vitest";
import { parameterCount } from "../../tensor/index.ts";
import { knownModels } from "./known-models.ts";

test("the shapes hold as many weights as their makers count", () => {
  const counts = Object.entries(knownModels).map(([name, config]) => [name, parameterCount(config)]);
  expect(Object.fromEntries(counts)).toEqual({
    "EleutherAI/pythia-2.8b": 2_775_208_960,
    "EleutherAI/pythia-12b": 11_846_072_320,
    "cerebras/Cerebras-GPT-1.3B": 1_315_723_264,
    "cerebras/Cerebras-GPT-6.7B": 6_658_404_352,
    "huggyllama/llama-65b": 65_285_660_672,
    "mistralai/Mistral-7B-v0.1": 7_241_732_096,
    "google/t5-xl-lm-adapt": 2_849_757_184,
  });
});
