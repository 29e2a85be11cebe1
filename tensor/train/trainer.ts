// Owns the training state: weights, optimiser slots and step count, advanced by compiled steps.

import type { Arrays, Backend, Executable } from "../backends/backend.ts";
import { check, TensorError } from "../error.ts";
import { checkParams, type HostTensor, isLarge, type Params } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { type ModelConfig, parameterShapes } from "../models/config.ts";
import type { Model } from "../models/model.ts";
import { EMA, withEma } from "../optim/ema.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { alone, type Bucket, bucketsOf, type Store, store } from "./buckets.ts";
import { keepMask } from "./dropout.ts";
import {
  type Arrays32,
  batchFeeds,
  idsShape,
  prefixed,
  readResult,
  shapesOf,
  stacked,
  wholes,
} from "./feeds.ts";
import { type ForwardOptions, KEEP } from "./forward.ts";
import { accumulateGraph, applyGraph, evaluateGraph, type StepSpec, stepGraph } from "./step-graph.ts";

/**
 * Arrays of one micro-batch by name; a number is an f32 scalar. The shapes choose the compiled step.
 * "segment_ids" and "position_ids" [B,T], where given, pack several sequences into a row: a token sees its own alone.
 * Dropout wants "ids" [B,T], by which it tells the rows of a batch apart.
 */
export type Batch = Readonly<Record<string, HostTensor | number>>;

/** Builds the loss [] and metrics [] of one micro-batch out of the model and the batch's arrays. */
export type LossFn = (
  b: Builder,
  model: Model,
  inputs: Readonly<Record<string, Value>>,
) => { loss: Value; metrics?: Readonly<Record<string, Value>> };

export interface TrainerOptions extends ForwardOptions {
  readonly backend: Backend;
  readonly config: ModelConfig;
  /** What is trained is copied, the rest only read; extra names (a "score.weight") are trained too when the loss uses them. */
  readonly params: Params;
  readonly loss: LossFn;
  readonly optimizer: Optimizer;
  /** Clips the global gradient norm; undefined leaves it. */
  readonly max_grad_norm?: number;
  /** Which weights move; default all. */
  readonly trainable?: (name: string) => boolean;
  /** Computes every layer twice to keep less: same losses and weights, less memory, about a third more time. */
  readonly recompute?: boolean;
  /** Keeps a running average of the trained weights, see averaged(). */
  readonly ema_decay?: number;
  /** Of dropout. */
  readonly seed?: number | string;
}

export interface TrainerState {
  /** Optimiser steps done. */
  readonly step: number;
  /** The trained weights. */
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

/** A step to come. */
export interface PlannedStep {
  readonly batch: Batch | readonly Batch[];
  readonly learning_rate: number;
}

export interface Trainer {
  /**
   * One optimiser step. Several micro-batches are accumulated: their losses, metrics and gradients are added,
   * so each must already be divided by the count of the whole batch.
   */
  step(batch: Batch | readonly Batch[], options: { readonly learning_rate: number }): Promise<StepResult>;
  /**
   * One optimiser step after the other, with the same bits. Where the backend loops, and all are of one micro-batch of
   * the same shapes, they are one run of the device, in which weights and slots do not travel; when it diverges the
   * weights are those from before all of them.
   */
  steps(planned: readonly PlannedStep[]): Promise<StepResult[]>;
  /** Loss and metrics of a batch under the present weights (the averaged ones, if kept), without dropout; moves nothing. */
  evaluate(batch: Batch): Promise<Omit<StepResult, "grad_norm">>;
  /**
   * Brings the state home from a device that keeps it; costs nothing elsewhere. To be awaited before the numbers of
   * params(), averaged(), state() or peek() are read, but not before params() is given to a session on the same backend.
   */
  settle(): Promise<void>;
  /** The present weights, not copied: valid until the next step. */
  params(): Params;
  /** The weights to keep: the running average with `ema_decay`, else the present ones. Not copied. */
  averaged(): Params;
  /** A copy of everything that a checkpoint needs. */
  state(): TrainerState;
  /** The same, not copied: valid until the next step. */
  peek(): TrainerState;
  restore(state: TrainerState): void;
  dispose(): Promise<void>;
}

/** Programs of a large model that are kept: each takes tens of megabytes and a second to compile again. */
export const KEPT_PROGRAMS = 4;

export function createTrainer(options: TrainerOptions): Trainer {
  const { backend, ema_decay } = options;
  const optimizer = ema_decay === undefined ? options.optimizer : withEma(options.optimizer, ema_decay);
  const all = options.params;
  checkParams(all, parameterShapes(options.config));
  // Every set of batch shapes is a program; of a large model only the one that runs may hold its activations.
  const frugal = isLarge(all);
  const trained = Object.keys(all).filter(options.trainable ?? (() => true));
  check(trained.length > 0, "argument", () => "trainable leaves no weight to train");
  const frozen = Object.fromEntries(Object.entries(all).filter(([name]) => !trained.includes(name)));

  // Weights ping-pong between two sets of arrays; slots are updated in place.
  // A device with memory of its own knows arrays, not views into them: there every weight stays alone.
  const buckets = bucketsOf(pick(all, trained), optimizer.elementwise && !backend.reclaim);
  let current = store(buckets, (name) => all[name]!.data);
  let spare = store(buckets);
  const slots = freshSlots(optimizer, buckets, current);
  let sums: Store | undefined;
  let steps = 0;
  // Whether the arrays hold the numbers of the state, which a device may keep.
  let settled = true;
  const stateNames = new Set(["p", ...Object.keys(slots)]);
  const isState = (name: string) => stateNames.has(name.slice(0, name.indexOf("/")));
  const wantSettled = (what: string) =>
    check(settled, "argument", () => `${what}() while the device has the state`, "await settle() first");
  const stateArrays = () => [current, ...Object.values(slots)].flatMap(({ buckets: b }) => Object.values(b));
  const compiled = new Map<string, Promise<{ run: Executable; masks: readonly Site[] }>>();

  const named = (params: Params) => pick(params, trained); // in the caller's order
  const weights = () => ({ ...frozen, ...named(current.params) });
  const slotParams = () =>
    Object.fromEntries(Object.entries(slots).map(([slot, { params }]) => [slot, inOrder(params)]));
  const inOrder = (params: Params) =>
    pick(
      params,
      trained.filter((name) => name in params),
    );
  const slotFeeds = () => Object.assign({}, ...Object.entries(slots).map(([slot, s]) => wholes(slot, s)));

  /** `times` steps in one run, where it is more than 1. */
  async function executable(kind: "step" | "accumulate" | "apply" | "evaluate", batch: Batch, times = 1) {
    const signature = kind === "apply" ? "" : shapesOf(batch);
    const key = `${kind} ${times} ${signature}`;
    let found = compiled.get(key);
    compiled.delete(key); // the last used goes to the end
    if (!found) {
      const spec: StepSpec = { ...options, optimizer, shapes: all, buckets, batch, unpack: times > 1 };
      const builds = {
        step: stepGraph,
        accumulate: accumulateGraph,
        apply: applyGraph,
        evaluate: evaluateGraph,
      };
      const graph = builds[kind](spec);
      const masks = graph.inputs.flatMap(({ attrs: { name, shape } }) =>
        name.startsWith(KEEP) ? [{ name, rows: shape[0]!, width: shape[1]! }] : [],
      );
      const loop = times > 1 && { loop: { times, each: (name: string) => !isState(name) } };
      found = backend.compile(graph, { state: isState, frugal, ...loop }).then((run) => ({ run, masks }));
      for (const [oldest, entry] of compiled) {
        if (!frugal || compiled.size < KEPT_PROGRAMS) break;
        compiled.delete(oldest);
        await (await entry).run.dispose();
      }
    }
    compiled.set(key, found);
    return found;
  }

  /** Which elements dropout keeps in a micro-batch whose first row is the row number `first` of step `at`. */
  function maskFeeds(sites: readonly Site[], batch: Batch, first = 0, at = steps): Arrays {
    if (sites.length === 0) return {};
    const [B, T] = idsShape(batch);
    const { seed = 0 } = options;
    return Object.fromEntries(
      sites.map(({ name, rows, width }) => [
        name,
        keepMask(name, { seed, step: at, first, B: rows === B * T ? B : 1, size: rows * width }),
      ]),
    );
  }

  function scalarFeeds(step: number, learning_rate: number): Arrays32 {
    check(
      Number.isFinite(learning_rate) && learning_rate >= 0,
      "argument",
      () => `learning_rate is ${learning_rate}`,
    );
    const scalars = Object.entries(optimizer.scalars(step, learning_rate));
    return Object.fromEntries(scalars.map(([name, x]) => [`s/${name}`, Float32Array.of(x)]));
  }

  /** Runs a program that moves the weights `count` steps on. `loss` is given where the program does not compute it. */
  async function advance(run: Executable, feeds: Arrays, count = 1, loss?: number): Promise<StepResult[]> {
    settled = backend.reclaim === undefined;
    const into: Arrays = { ...wholes("p", spare), ...slotFeeds() };
    const out = await run.run({ ...wholes("p", current), ...slotFeeds(), ...feeds }, into);
    const results = Array.from({ length: count }, (_, i) => ({
      ...readResult(out as Arrays32, i),
      ...(loss !== undefined && { loss }),
    }));
    results.forEach(({ loss, grad_norm }, i) => {
      if (Number.isFinite(loss) && Number.isFinite(grad_norm)) return;
      const before = count === 1 ? "of the step before" : `from before step ${steps + 1}`;
      throw new TensorError(
        "diverged",
        `step ${steps + 1 + i} gave loss ${loss} and gradient norm ${grad_norm}`,
        `the weights are still those ${before}, the optimiser's moments are lost: restore, then lower learning_rate`,
      );
    });
    [current, spare] = [spare, current];
    steps += count;
    return results;
  }

  async function stepOf({ batch, learning_rate }: PlannedStep): Promise<StepResult> {
    const micro = [batch].flat();
    check(micro.length > 0, "argument", () => "step: no micro-batch was given");
    const scalars = scalarFeeds(steps + 1, learning_rate);
    if (micro.length === 1) {
      const [only] = micro as [Batch];
      const { run, masks } = await executable("step", only);
      const feeds = {
        ...prefixed("p", weights()),
        ...scalars,
        ...maskFeeds(masks, only),
        ...batchFeeds(only),
      };
      return (await advance(run, feeds))[0]!;
    }
    sums ??= store(buckets);
    for (const whole of Object.values(sums.buckets)) whole.fill(0);
    const totals: Record<string, number> = {};
    let first = 0;
    for (const piece of micro) {
      const { run, masks } = await executable("accumulate", piece);
      const summed = prefixed("g", sums.params);
      const feeds = { ...prefixed("p", weights()), ...summed, ...batchFeeds(piece) };
      const out = await run.run({ ...feeds, ...maskFeeds(masks, piece, first) }, summed);
      if (masks.length > 0) first += idsShape(piece)[0];
      const { loss, metrics } = readResult(out as Arrays32);
      for (const [name, x] of Object.entries({ loss, ...metrics })) totals[name] = (totals[name] ?? 0) + x;
    }
    const { loss, ...metrics } = totals;
    const { run } = await executable("apply", {});
    const [result] = await advance(run, { ...scalars, ...wholes("g", sums) }, 1, loss!);
    return { ...result!, metrics };
  }

  const averaged = () =>
    ema_decay === undefined ? weights() : { ...frozen, ...inOrder(slots[EMA]!.params) };

  return {
    step: (batch, { learning_rate }) => stepOf({ batch, learning_rate }),
    async steps(planned) {
      const batches = planned.map(({ batch }) => [batch].flat() as Batch[]);
      const shapes = new Set(batches.map((micro) => (micro.length === 1 ? shapesOf(micro[0]!) : "several")));
      if (!backend.loops || planned.length < 2 || shapes.size > 1 || shapes.has("several")) {
        const results: StepResult[] = [];
        for (const next of planned) results.push(await stepOf(next));
        return results;
      }
      const { run, masks } = await executable("step", batches[0]![0]!, planned.length);
      const each = planned.map(({ learning_rate }, i) => {
        const [batch] = batches[i] as [Batch];
        const scalars = scalarFeeds(steps + 1 + i, learning_rate);
        return { ...scalars, ...maskFeeds(masks, batch, 0, steps + i), ...batchFeeds(batch) };
      });
      return advance(run, { ...prefixed("p", frozen), ...stacked(each) }, planned.length);
    },
    async evaluate(batch) {
      const { run } = await executable("evaluate", batch);
      const out = await run.run({ ...prefixed("p", averaged()), ...batchFeeds(batch) });
      const { loss, metrics } = readResult(out as Arrays32);
      return { loss, metrics };
    },
    async settle() {
      if (!settled) await backend.reclaim?.(stateArrays());
      settled = true;
    },
    params: weights,
    averaged,
    state() {
      wantSettled("state");
      return {
        step: steps,
        params: copy(named(current.params)),
        slots: Object.fromEntries(Object.entries(slotParams()).map(([slot, p]) => [slot, copy(p)])),
      };
    },
    peek() {
      wantSettled("peek");
      return { step: steps, params: named(current.params), slots: slotParams() };
    },
    restore(state) {
      const shapes = (params: Params) =>
        Object.fromEntries(Object.entries(params).map(([n, t]) => [n, t.shape]));
      checkParams(state.params, shapes(current.params));
      for (const [slot, { params: held }] of Object.entries(slots)) {
        const saved = state.slots[slot];
        if (!saved) throw new TensorError("missing", `the state has no optimiser slot "${slot}"`);
        checkParams(saved, shapes(held));
      }
      backend.forget?.(stateArrays());
      settled = true;
      for (const [name, { data }] of Object.entries(current.params)) data.set(state.params[name]!.data);
      for (const [slot, { params: held }] of Object.entries(slots)) {
        for (const [name, { data }] of Object.entries(held)) data.set(state.slots[slot]![name]!.data);
      }
      steps = state.step;
    },
    async dispose() {
      const read = Object.values(frozen).map(({ data }) => data);
      backend.forget?.([...stateArrays(), ...Object.values(spare.buckets), ...read]);
      for (const entry of compiled.values()) await (await entry).run.dispose();
      compiled.clear();
    },
  };
}

/** A place of dropout in a compiled step. */
interface Site {
  readonly name: string;
  readonly rows: number;
  readonly width: number;
}

/** The arrays that an optimiser keeps, by slot. */
function freshSlots(optimizer: Optimizer, buckets: readonly Bucket[], weights: Store): Record<string, Store> {
  const kept: Record<string, { buckets: Bucket[]; fill?: (name: string) => Float32Array }> = {};
  for (const bucket of buckets) {
    for (const [slot, { shape, start }] of Object.entries(optimizer.slots(bucket.shape))) {
      kept[slot] ??= { buckets: [] };
      kept[slot].buckets.push(bucket.members.length > 1 ? bucket : alone(bucket.name, shape));
      if (start === "weight") kept[slot].fill = (name) => weights.params[name]!.data;
    }
  }
  return Object.fromEntries(Object.entries(kept).map(([slot, k]) => [slot, store(k.buckets, k.fill)]));
}

const map = (params: Params, f: (data: Float32Array) => Float32Array): Params =>
  Object.fromEntries(
    Object.entries(params).map(([name, { shape, data }]) => [name, { shape, data: f(data) }]),
  );
const copy = (params: Params) => map(params, (data) => data.slice());
const pick = (params: Params, names: readonly string[]): Params =>
  Object.fromEntries(names.map((name) => [name, params[name]!]));
