// Runs any forward graph over one or more models: the seam for scoring, reward models, value heads and evaluation.

import type { Arrays, Backend, Executable } from "../backends/backend.ts";
import {
  checkParams,
  dtypeOf,
  type HostTensor,
  isLarge,
  type ParamSource,
  paramsOf,
  tensor,
} from "../host.ts";
import { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { type ModelConfig, parameterShapes } from "../models/config.ts";
import { buildModel, type Model } from "../models/model.ts";
import type { Shape } from "../shape.ts";

export interface ModelSource {
  readonly config: ModelConfig;
  readonly params: ParamSource;
}

export interface EvaluatorOptions {
  readonly backend: Backend;
  readonly models: Readonly<Record<string, ModelSource>>;
  /** Builds the outputs out of the models and the batch's arrays. */
  readonly build: (
    b: Builder,
    models: Readonly<Record<string, Model>>,
    inputs: Readonly<Record<string, Value>>,
  ) => Readonly<Record<string, Value>>;
}

export interface Evaluator {
  /** Compiles once per set of batch shapes. Weights are read at the moment of the call. */
  run(batch: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
  dispose(): Promise<void>;
}

export function createEvaluator({ backend, models, build }: EvaluatorOptions): Evaluator {
  const compiled = new Map<string, Promise<{ run: Executable; shapes: Readonly<Record<string, Shape>> }>>();
  const sources = Object.entries(models);

  async function compile(batch: Readonly<Record<string, HostTensor>>) {
    const b = new Builder();
    const inside: Record<string, Model> = {};
    for (const [name, { config, params: source }] of sources) {
      const params = paramsOf(source);
      checkParams(params, parameterShapes(config));
      const values = Object.entries(params).map(
        ([p, { shape }]) => [p, b.input(`${name}/${p}`, shape)] as const,
      );
      inside[name] = buildModel(b, config, Object.fromEntries(values));
    }
    const fields = Object.entries(batch).map(
      ([name, x]) => [name, b.input(`b/${name}`, x.shape, dtypeOf(x))] as const,
    );
    const graph = b.finish(build(b, inside, Object.fromEntries(fields)));
    const shapes = Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, v.shape]));
    // A device with memory of its own is given the weights once.
    const weights = new Set(
      graph.inputs.map(({ attrs }) => attrs.name).filter((name) => !name.startsWith("b/")),
    );
    const state = (name: string) => weights.has(name) && !(name in graph.outputs);
    const frugal = sources.some(([, { params }]) => isLarge(paramsOf(params)));
    return { run: await backend.compile(graph, { state, frugal }), shapes };
  }

  return {
    async run(batch) {
      const key = Object.entries(batch)
        .map(([name, x]) => `${name}:${dtypeOf(x)}[${x.shape}]`)
        .sort()
        .join(" ");
      let found = compiled.get(key);
      if (!found) {
        found = compile(batch);
        compiled.set(key, found);
      }
      const { run, shapes } = await found;
      const feeds: Arrays = {};
      for (const [name, { params }] of sources) {
        for (const [p, { data }] of Object.entries(paramsOf(params))) feeds[`${name}/${p}`] = data;
      }
      for (const [name, { data }] of Object.entries(batch)) feeds[`b/${name}`] = data;
      const out = await run.run(feeds);
      return Object.fromEntries(
        Object.entries(out).map(([name, data]) => [
          name,
          tensor(data as Float32Array | Int32Array, shapes[name]!),
        ]),
      );
    },
    async dispose() {
      for (const entry of compiled.values()) await (await entry).run.dispose();
      compiled.clear();
    },
  };
}
