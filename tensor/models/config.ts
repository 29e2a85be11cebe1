// Every model that can run, by the `model_type` of its config.json, with what follows from a config: shapes, sizes, fresh weights.

import { check } from "../error.ts";
import { type Params, tensor } from "../host.ts";
import type { Random } from "../random.ts";
import { type Shape, sizeOf } from "../shape.ts";
import type { Architecture, Geometry } from "./architecture.ts";
import { type GptNeoXConfig, gptNeoX } from "./gpt-neox.ts";
import { type Gpt2Config, gpt2 } from "./gpt2.ts";
import { llama } from "./llama.ts";
import type { LlamaConfig } from "./llama-config.ts";

import { type T5Config, t5 } from "./t5.ts";

export type { GptNeoXConfig } from "./gpt-neox.ts";
export type { Gpt2Config } from "./gpt2.ts";
export type { LlamaConfig } from "./llama-config.ts";
export type { T5Config } from "./t5.ts";

/** A config.json; without a model_type it is a Llama's. */
export type ModelConfig = LlamaConfig | Gpt2Config | GptNeoXConfig | T5Config;
export type ModelType = NonNullable<ModelConfig["model_type"]>;

const architectures: { readonly [T in ModelType]: Architecture<Extract<ModelConfig, { model_type?: T }>> } = {
  llama,
  mistral: llama,
  qwen2: llama,
  qwen3: llama,
  gpt2,
  gpt_neox: gptNeoX,
  t5,
};

/** The values of model_type that are understood. */
export const modelTypes = Object.keys(architectures) as readonly ModelType[];

export function architectureOf(config: ModelConfig): Architecture<ModelConfig> {
  const type = config.model_type ?? "llama";
  const found = architectures[type] as Architecture<ModelConfig> | undefined;
  check(
    found !== undefined,
    "argument",
    () => `models of type "${type}" are not supported`,
    `supported are ${modelTypes.join(", ")}`,
  );
  return found;
}

export const geometry = (config: ModelConfig): Geometry => architectureOf(config).geometry(config);

/** Every parameter that the config implies, by its Hugging Face name. */
export const parameterShapes = (config: ModelConfig): Record<string, Shape> => {
  const architecture = architectureOf(config);
  architecture.check(config);
  return architecture.shapes(config);
};

export function parameterCount(config: ModelConfig): number {
  return Object.values(parameterShapes(config)).reduce((n, shape) => n + sizeOf(shape), 0);
}

/** Weights as a file names them → as parameterShapes() does: without buffers, with the prefixes that some files leave out. */
export const adoptParams = (config: ModelConfig, params: Params): Params =>
  architectureOf(config).adopt?.(config, params) ?? params;

/** Fresh weights: norms 1, biases 0, matrices normal. Each name has a stream of its own. */
export function initialize(config: ModelConfig, random: Random): Params {
  const { spread } = architectureOf(config);
  return Object.fromEntries(
    Object.entries(parameterShapes(config)).map(([name, shape]) => {
      const data = new Float32Array(sizeOf(shape));
      if (shape.length > 1) {
        const std = spread(config, name);
        const draw = random.split(name);
        for (let i = 0; i < data.length; i++) data[i] = std * draw.normal();
      } else if (!name.endsWith(".bias")) data.fill(1);
      return [name, tensor(data, shape)];
    }),
  );
}
