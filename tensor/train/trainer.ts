// Owns the training state: weights, optimiser slots and step count, advanced by compiled steps.

import type { Backend, Executable } from "../backends/backend.ts";
import { check, TensorError } from "../error.ts";
import { checkParams, dtypeOf, type HostTensor, type Params } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { type ModelConfig, parameterShapes } from "../models/config.ts";
import type { Model } from "../models/model.ts";
import type { Optimizer } from "../optim/adamw.ts";
import { accumulateGraph, applyGraph, type StepSpec, stepGraph } from "./step-graph.ts";

/** Arrays of one micro-batch by name; a number is an f32 scalar. The shapes choose the compiled step. */
export type Batch = Readonly<Record<string, HostTensor | number>>;

/** Builds the loss [] and metrics [] of one micro-batch out of the model and the batch's arrays. */
export type LossFn = (
  b: Builder,
  model: Model,
  inputs: Readonly<Record<string, Value>>,
) => { loss: Value; metrics?: Readonly<Record<string, Value>> };

export interface TrainerOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  /** Copied; extra names (a "score.weight") are trained too when the loss uses them. */
  readonly params: Params;
  readonly loss: LossFn;
  readonly optimizer: Optimizer;
  /** Clips the global gradient norm; undefined leaves it. */
  readonly max_grad_norm?: number;
  /** Which weights move; default all. */
  readonly trainable?: (name: string) => boolean;
}

export interface TrainerState {
  /** Optimiser steps done. */
  readonly step: number;
  readonly params: Params;
  /** Optimiser slots by slot name ("m", "v") and weight name. */
  readonly slots: Readonly<Record<string, Params>>;
}

export interface StepResult {
  readonly loss: number;
  /** Before clipping. */
  readonly grad_norm: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface Trainer {
  /**
   * One optimiser step. Several micro-batches are accumulated: their losses, metrics and gradients are added,
   * so each must already be divided by the count of the whole batch.
   */
  step(batch: Batch | readonly Batch[], options: { readonly learning_rate: number }): Promise<StepResult>;
  /** The present weights, not copied: valid until the next step. */
  params(): Params;
  /** A copy of everything that a checkpoint needs. */
  state(): TrainerState;
  restore(state: TrainerState): void;
  dispose(): Promise<void>;
}

export function createTrainer(options: TrainerOptions): Trainer {
  const { backend, optimizer } = options;
  checkParams(options.params, parameterShapes(options.config));

  // Weights ping-pong between two sets of arrays; slots are updated in place.
  let current = copy(options.params);
  let spare = copy(options.params);
  const trained = Object.keys(current).filter(options.trainable ?? (() => true));
  check(trained.length > 0, "argument", () => "trainable leaves no weight to train");
  let slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, zeros(pick(current, trained))]));
  let sums: Params | undefined;
  let steps = 0;
  const compiled = new Map<string, Promise<Executable>>();

  function executable(kind: "step" | "accumulate" | "apply", batch: Batch): Promise<Executable> {
    const signature = kind === "apply" ? "" : signatureOf(batch);
    const key = `${kind} ${signature}`;
    let found = compiled.get(key);
    if (!found) {
      const spec: StepSpec = { ...options, shapes: current, trained, batch };
      const build = { step: stepGraph, accumulate: accumulateGraph, apply: applyGraph }[kind];
      found = backend.compile(build(spec));
      compiled.set(key, found);
    }
    return found;
  }

  async function update(
    kind: "step" | "apply",
    batch: Batch,
    learningRate: number,
    feeds: Arrays32,
  ): Promise<StepResult> {
    const run = await executable(kind, batch);
    const scalars = optimizer.scalars(steps + 1, learningRate);
    const into: Arrays32 = { ...prefixed("p", pick(spare, trained)) };
    for (const slot of optimizer.slots) Object.assign(into, prefixed(slot, slots[slot]!));
    const out = await run.run(
      {
        ...prefixed("p", current),
        ...Object.assign({}, ...optimizer.slots.map((slot) => prefixed(slot, slots[slot]!))),
        ...Object.fromEntries(Object.entries(scalars).map(([name, x]) => [`s/${name}`, Float32Array.of(x)])),
        ...feeds,
      },
      into,
    );
    const result = readResult(out as Arrays32);
    if (!Number.isFinite(result.loss) || !Number.isFinite(result.grad_norm)) {
      throw new TensorError(
        "diverged",
        `step ${steps + 1} gave loss ${result.loss} and gradient norm ${result.grad_norm}`,
        "the weights are still those of the step before, the optimiser's moments are lost: restore, then lower learning_rate",
      );
    }
    // Frozen weights stay where they are; trained ones swap.
    const next = { ...current, ...pick(spare, trained) };
    spare = { ...spare, ...pick(current, trained) };
    current = next;
    steps++;
    return result;
  }

  return {
    async step(batch, { learning_rate }) {
      check(
        Number.isFinite(learning_rate) && learning_rate >= 0,
        "argument",
        () => `learning_rate is ${learning_rate}`,
      );
      const micro = Array.isArray(batch) ? (batch as readonly Batch[]) : [batch as Batch];
      check(micro.length > 0, "argument", () => "step: no micro-batch was given");
      if (micro.length === 1) return update("step", micro[0]!, learning_rate, batchFeeds(micro[0]!));

      sums ??= zeros(pick(current, trained));
      for (const { data } of Object.values(sums)) data.fill(0);
      const totals: Record<string, number> = {};
      for (const piece of micro) {
        const run = await executable("accumulate", piece);
        const feeds = { ...prefixed("p", current), ...prefixed("g", sums), ...batchFeeds(piece) };
        const out = await run.run(feeds, prefixed("g", sums));
        const { loss, metrics } = readResult(out as Arrays32);
        for (const [name, x] of Object.entries({ loss, ...metrics })) totals[name] = (totals[name] ?? 0) + x;
      }
      const { grad_norm } = await update("apply", {}, learning_rate, prefixed("g", sums));
      const { loss, ...metrics } = totals;
      return { loss: loss!, grad_norm, metrics };
    },
    params: () => ({ ...current }),
    state: () => ({
      step: steps,
      params: copy(current),
      slots: Object.fromEntries(optimizer.slots.map((slot) => [slot, copy(slots[slot]!)])),
    }),
    restore(state) {
      const shapesOf = (params: Params) =>
        Object.fromEntries(Object.entries(params).map(([n, t]) => [n, t.shape]));
      checkParams(state.params, shapesOf(current));
      for (const slot of optimizer.slots) {
        const saved = state.slots[slot];
        if (!saved) throw new TensorError("missing", `the state has no optimiser slot "${slot}"`);
        checkParams(saved, shapesOf(slots[slot]!));
      }
      current = copy(state.params);
      spare = copy(state.params);
      slots = Object.fromEntries(optimizer.slots.map((slot) => [slot, copy(state.slots[slot]!)]));
      steps = state.step;
    },
    async dispose() {
      for (const run of compiled.values()) await (await run).dispose();
      compiled.clear();
    },
  };
}

type Arrays32 = Record<string, Float32Array | Int32Array>;

const map = (params: Params, f: (data: Float32Array) => Float32Array): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, { shape, data }]) => [name, { shape, data: f(data) }]),
  );
const copy = (params: Params) => map(params, (data) => data.slice());
const zeros = (params: Params) => map(params, (data) => new Float32Array(data.length));
const pick = (params: Params, names: readonly string[]): Params =>
  Object.fromEntries(names.map((name) => [name, params[name]!]));
const prefixed = (prefix: string, params: Params): Arrays32 =>
  Object.fromEntries(Object.entries(params).map(([name, { data }]) => [`${prefix}/${name}`, data]));

function batchFeeds(batch: Batch): Arrays32 {
  return Object.fromEntries(
    Object.entries(batch).map(([name, x]) => [
      `b/${name}`,
      typeof x === "number" ? Float32Array.of(x) : x.data,
    ]),
  );
}

function signatureOf(batch: Batch): string {
  const one = ([name, x]: [string, HostTensor | number]) =>
    typeof x === "number" ? `${name}:f32[]` : `${name}:${dtypeOf(x)}[${x.shape}]`;
  return Object.entries(batch).map(one).sort().join(" ");
}

function readResult(out: Arrays32): StepResult {
  const metrics = Object.entries(out).filter(([name]) => name.startsWith("metric/"));
  return {
    loss: out.loss?.[0] ?? 0,
    grad_norm: out.grad_norm?.[0] ?? 0,
    metrics: Object.fromEntries(metrics.map(([name, x]) => [name.slice("metric/".length), x[0]!])),
  };
}
