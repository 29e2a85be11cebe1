// Builds the graphs of one optimiser step: forward, backward, clip and update in one, or accumulate and apply apart.

import { check } from "../error.ts";
import { dtypeOf, type Params } from "../host.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { ModelConfig } from "../models/config.ts";
import { buildModel } from "../models/model.ts";
import type { Optimizer } from "../optim/adamw.ts";
import { clipScale, globalNorm } from "../optim/clip.ts";
import { showShape } from "../shape.ts";
import type { Batch, LossFn } from "./trainer.ts";

export interface StepSpec {
  readonly config: ModelConfig;
  readonly shapes: Params;
  readonly trained: readonly string[];
  readonly batch: Batch;
  readonly loss: LossFn;
  readonly optimizer: Optimizer;
  readonly max_grad_norm?: number;
}

/** Inputs p/ weights, m/ v/ … slots, s/ scalars, b/ batch → outputs p/, slots, loss, grad_norm, metric/. */
export function stepGraph(spec: StepSpec): Graph {
  const b = new Builder();
  const { params, gradients, outputs } = backward(b, spec);
  return b.finish({ ...outputs, ...applied(b, spec, params, gradients) });
}

/** Inputs p/, b/ and running sums g/ → outputs g/ with this micro-batch's gradients added, loss, metric/. */
export function accumulateGraph(spec: StepSpec): Graph {
  const b = new Builder();
  const { gradients, outputs } = backward(b, spec);
  for (const [name, g] of Object.entries(gradients)) {
    outputs[`g/${name}`] = b.add(b.input(`g/${name}`, g.shape), g);
  }
  return b.finish(outputs);
}

/** Inputs p/, slots, s/ and summed gradients g/ → outputs p/, slots, grad_norm. */
export function applyGraph(spec: StepSpec): Graph {
  const b = new Builder();
  const params = inputs(b, "p", spec.shapes);
  const gradients = inputs(
    b,
    "g",
    Object.fromEntries(spec.trained.map((name) => [name, spec.shapes[name]!])),
  );
  return b.finish(applied(b, spec, params, gradients));
}

function inputs(b: Builder, prefix: string, shapes: Params): Record<string, Value> {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, { shape }]) => [name, b.input(`${prefix}/${name}`, shape)]),
  );
}

function backward(b: Builder, { config, shapes, trained, batch, loss: lossFn }: StepSpec) {
  const params = inputs(b, "p", shapes);
  const fields = Object.entries(batch).map(([name, x]) => {
    const value =
      typeof x === "number" ? b.input(`b/${name}`, []) : b.input(`b/${name}`, x.shape, dtypeOf(x));
    return [name, value] as const;
  });
  const { loss, metrics = {} } = lossFn(b, buildModel(b, config, params), Object.fromEntries(fields));
  for (const [name, x] of Object.entries({ loss, ...metrics })) {
    check(x.shape.length === 0, "shape", () => `"${name}" is ${showShape(x.shape)}, must be a scalar []`);
  }
  const g = grad(
    b,
    loss,
    trained.map((name) => params[name]!),
  );
  const outputs: Record<string, Value> = { loss };
  for (const [name, x] of Object.entries(metrics)) outputs[`metric/${name}`] = x;
  return { params, outputs, gradients: Object.fromEntries(trained.map((name, i) => [name, g[i]!])) };
}

function applied(
  b: Builder,
  { optimizer, max_grad_norm }: StepSpec,
  params: Readonly<Record<string, Value>>,
  gradients: Readonly<Record<string, Value>>,
): Record<string, Value> {
  const scalars = Object.fromEntries(
    Object.keys(optimizer.scalars(1, 0)).map((name) => [name, b.input(`s/${name}`, [])]),
  );
  const norm = globalNorm(b, Object.values(gradients));
  const gradScale = clipScale(b, norm, max_grad_norm);
  const outputs: Record<string, Value> = { grad_norm: norm };
  for (const [name, gradient] of Object.entries(gradients)) {
    const param = params[name]!;
    const slots = Object.fromEntries(
      optimizer.slots.map((slot) => [slot, b.input(`${slot}/${name}`, param.shape)]),
    );
    const next = optimizer.update(b, { param, gradient, slots, scalars, gradScale });
    outputs[`p/${name}`] = next.param;
    for (const slot of optimizer.slots) outputs[`${slot}/${name}`] = next.slots[slot]!;
  }
  return outputs;
}
