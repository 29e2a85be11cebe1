// What a training session will cost before it begins: operations and memory, read off the very graphs that it will run.

import { type HostTensor, hollow, isLarge, type Params } from "../host.ts";
import { flopsOf, peakBytes } from "../ir/cost.ts";
import { type Graph, reachable } from "../ir/graph.ts";
import { optimize } from "../ir/passes/optimize.ts";
import { type ModelConfig, parameterShapes } from "../models/config.ts";
import { isAdapter, type LoraOptions, loraShapes } from "../models/lora.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { type Shape, sizeOf } from "../shape.ts";
import { bucketsOf } from "./buckets.ts";
import type { Adapters, ForwardOptions } from "./forward.ts";
import { accumulateGraph, applyGraph, type StepSpec, stepGraph } from "./step-graph.ts";
import { type Batch, KEPT_PROGRAMS, type LossFn } from "./trainer.ts";

export interface TrainingPlan extends Omit<ForwardOptions, "lora"> {
  readonly config: ModelConfig;
  /** Weights that the loss uses beside the model's own. */
  readonly extra?: Readonly<Record<string, Shape>>;
  readonly loss: LossFn;
  readonly optimizer: Optimizer;
  readonly max_grad_norm?: number;
  readonly recompute?: boolean;
  readonly ema_decay?: number;
  readonly lora?: LoraOptions & Adapters;
  /** One micro-batch; only its shapes count. */
  readonly batch: Batch;
  /** Micro-batches per step. */
  readonly pieces: number;
}

export interface SessionCost {
  /** Of one step, all its micro-batches. */
  readonly flops: number;
  /** The most that the process holds at once, in bytes. */
  readonly memory: number;
}

/**
 * Bytes of a process that has loaded Align and onnxruntime, and of one node of a compiled session: both as they were
 * measured with onnxruntime-node 1.30 on Linux (120 MiB; 20 to 25 KiB).
 */
export const IDLE_BYTES = 120 * 2 ** 20;
export const NODE_BYTES = 23 * 2 ** 10;

export function trainingCost(plan: TrainingPlan): SessionCost {
  const weights = hollow({ ...parameterShapes(plan.config), ...plan.extra });
  const adapters = plan.lora ? hollow(loraShapes(weights, plan.lora)) : {};
  const shapes = { ...weights, ...adapters };
  const trained = plan.lora ? only(adapters, isAdapter) : shapes;
  const buckets = bucketsOf(trained, plan.optimizer.elementwise);
  const spec: StepSpec = { ...plan, shapes, buckets };
  const graphs = (plan.pieces === 1 ? [stepGraph(spec)] : [accumulateGraph(spec), applyGraph(spec)]).map(
    optimize,
  );

  const [first, ...rest] = graphs.map(flopsOf) as [number, ...number[]];
  const state = buckets.reduce((sum, { shape }) => {
    const slots = Object.values(plan.optimizer.slots(shape)).reduce((n, slot) => n + sizeOf(slot.shape), 0);
    return sum + slots + (plan.ema_decay === undefined ? 0 : sizeOf(shape));
  }, 0);
  // The weights as they were read, those that move twice (this step's and the next one's), what the optimiser keeps, and sums.
  const held = numbers(shapes) + (2 + (plan.pieces > 1 ? 1 : 0)) * numbers(trained) + state;
  return {
    flops: plan.pieces * first + rest.reduce((a, b) => a + b, 0),
    memory: IDLE_BYTES + 4 * held + batchBytes(plan.batch) + workingBytes(graphs, isLarge(shapes)),
  };
}

/** Large models' programs give their memory back after every run; others keep it, once as it grew and once as planned. */
function workingBytes(graphs: readonly Graph[], large: boolean): number {
  const nodes = graphs.map((graph) => reachable(Object.values(graph.outputs)).length * NODE_BYTES);
  const peaks = graphs.map(peakBytes);
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  return large ? KEPT_PROGRAMS * Math.max(...nodes) + Math.max(...peaks) : sum(nodes) + 2 * sum(peaks);
}

const numbers = (params: Params): number =>
  Object.values(params).reduce((sum, { shape }) => sum + sizeOf(shape), 0);
const only = (params: Params, wanted: (name: string) => boolean): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => wanted(name)));
const batchBytes = (batch: Batch): number =>
  Object.values(batch).reduce<number>(
    (sum, x) => sum + (typeof x === "number" ? 4 : (x as HostTensor).data.byteLength),
    0,
  );
