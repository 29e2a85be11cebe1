// Builds the graphs of one optimiser step: forward, backward, clip and update in one, or accumulate and apply apart.

import { check } from "../error.ts";
import { dtypeOf, type Params } from "../host.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import type { Graph, Value } from "../ir/graph.ts";
import type { ModelConfig } from "../models/config.ts";
import { buildModel } from "../models/model.ts";
import { clipScale, globalNorm } from "../optim/clip.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { showShape } from "../shape.ts";
import type { Bucket } from "./buckets.ts";
import { type ForwardOptions, forwardRewrites } from "./forward.ts";
import { layerCuts } from "./recompute.ts";
import type { Batch, LossFn } from "./trainer.ts";

export interface StepSpec extends ForwardOptions {
  readonly config: ModelConfig;
  readonly shapes: Params;
  /** The trained weights. */
  readonly buckets: readonly Bucket[];
  readonly batch: Batch;
  readonly loss: LossFn;
  readonly optimizer: Optimizer;
  readonly max_grad_norm?: number;
  readonly recompute?: boolean;
  /** Takes trained weights out of their buckets in the graph, where the buckets are computed (a loop), instead of as inputs. */
  readonly unpack?: boolean;
}

/** Inputs p/ weights and buckets, m/ v/ … slots by bucket, s/ scalars, b/ batch, keep/ dropout → outputs p/, slots, loss, grad_norm, metric/. */
export function stepGraph(spec: StepSpec): Graph {
  const { b, params, gradients, outputs } = backward(spec);
  const whole = (bucket: Bucket) => {
    const [first, ...more] = bucket.members.map(({ name, size }) =>
      b.reshape(gradients[name]!, bucket.members.length === 1 ? bucket.shape : flat(bucket, size)),
    );
    const gradient = more.length === 0 ? first! : b.concat([first!, ...more], -1);
    return { gradient, param: params[bucket.name] ?? b.input(`p/${bucket.name}`, bucket.shape) };
  };
  return b.finish({ ...outputs, ...applied(b, spec, whole) });
}

/** Inputs p/, b/ and running sums g/ → outputs g/ with this micro-batch's gradients added, loss, metric/. */
export function accumulateGraph(spec: StepSpec): Graph {
  const { b, gradients, outputs } = backward(spec);
  for (const [name, g] of Object.entries(gradients)) {
    outputs[`g/${name}`] = b.add(b.input(`g/${name}`, g.shape), g);
  }
  return b.finish(outputs);
}

/** Inputs p/, slots, s/ and summed gradients g/, all by bucket → outputs p/, slots, grad_norm. */
export function applyGraph(spec: StepSpec): Graph {
  const b = new Builder();
  const whole = ({ name, shape }: Bucket) => ({
    param: b.input(`p/${name}`, shape),
    gradient: b.input(`g/${name}`, shape),
  });
  return b.finish(applied(b, spec, whole));
}

function weightInputs(b: Builder, { shapes, buckets, unpack = false }: StepSpec): Record<string, Value> {
  const params: Record<string, Value> = {};
  for (const { name: bucket, shape, members } of unpack ? buckets : []) {
    const whole = b.input(`p/${bucket}`, shape);
    params[bucket] = whole;
    if (members.length === 1) continue;
    const parts = b.split(
      whole,
      -1,
      members.map(({ size }) => size),
    );
    for (const [i, { name, shape }] of members.entries()) params[name] = b.reshape(parts[i]!, shape);
  }
  for (const [name, { shape }] of Object.entries(shapes)) params[name] ??= b.input(`p/${name}`, shape);
  return params;
}

/** Inputs p/, b/ → outputs loss, metric/, without dropout. */
export function evaluateGraph(spec: StepSpec): Graph {
  const { b, outputs } = forward(spec, false);
  return b.finish(outputs);
}

function forward(spec: StepSpec, training: boolean) {
  const { config, batch, loss: lossFn } = spec;
  const rewrites = forwardRewrites(spec, training);
  const b = new Builder(rewrites.intercept);
  const params = weightInputs(b, spec);
  const fields = Object.fromEntries(
    Object.entries(batch).map(([name, x]) => [
      name,
      typeof x === "number" ? b.input(`b/${name}`, []) : b.input(`b/${name}`, x.shape, dtypeOf(x)),
    ]),
  );
  const { segment_ids: segments, position_ids: positions } = fields;
  rewrites.begin(b, params, segments && positions && { segments, positions });
  const { loss, metrics = {} } = lossFn(b, buildModel(b, config, params), fields);
  rewrites.end();
  for (const [name, x] of Object.entries({ loss, ...metrics })) {
    check(x.shape.length === 0, "shape", () => `"${name}" is ${showShape(x.shape)}, must be a scalar []`);
  }
  const outputs: Record<string, Value> = { loss };
  for (const [name, x] of Object.entries(metrics)) outputs[`metric/${name}`] = x;
  return { b, params, outputs };
}

function backward(spec: StepSpec) {
  const { b, params, outputs } = forward(spec, true);
  const { buckets, recompute = false } = spec;
  const trained = buckets.flatMap(({ members }) => members.map(({ name }) => name));
  const g = grad(
    b,
    outputs.loss!,
    trained.map((name) => params[name]!),
    { cuts: recompute ? layerCuts(outputs.loss!) : [] },
  );
  return { b, params, outputs, gradients: Object.fromEntries(trained.map((name, i) => [name, g[i]!])) };
}

function applied(
  b: Builder,
  { buckets, optimizer, max_grad_norm }: StepSpec,
  whole: (bucket: Bucket) => { param: Value; gradient: Value },
): Record<string, Value> {
  const scalars = Object.fromEntries(
    Object.keys(optimizer.scalars(1, 0)).map((name) => [name, b.input(`s/${name}`, [])]),
  );
  const updates = buckets.map((bucket) => ({ name: bucket.name, ...whole(bucket) }));
  const norm = globalNorm(
    b,
    updates.map(({ gradient }) => gradient),
  );
  const gradScale = clipScale(b, norm, max_grad_norm);
  const outputs: Record<string, Value> = { grad_norm: norm };
  for (const { name, param, gradient } of updates) {
    const slots = Object.fromEntries(
      Object.entries(optimizer.slots(param.shape)).map(([slot, { shape }]) => [
        slot,
        b.input(`${slot}/${name}`, shape),
      ]),
    );
    const next = optimizer.update(b, { param, gradient, slots, scalars, gradScale });
    outputs[`p/${name}`] = next.param;
    for (const slot of Object.keys(slots)) outputs[`${slot}/${name}`] = next.slots[slot]!;
  }
  return outputs;
}

/** How a member lies in its bucket. */
const flat = ({ shape }: Bucket, size: number) => (shape.length > 1 ? [1, size] : [size]);
