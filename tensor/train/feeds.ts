// Turns batches and state into the arrays that a compiled step is fed, and what it gives into numbers.

import type { Arrays } from "../backends/backend.ts";
import { check } from "../error.ts";
import { dtypeOf, type HostTensor, type Params } from "../host.ts";
import type { HostArray } from "../ir/graph.ts";
import type { Store } from "./buckets.ts";
import type { Batch, StepResult } from "./trainer.ts";

export type Arrays32 = Record<string, Float32Array | Int32Array>;

export function idsShape({ ids }: Batch): readonly [number, number] {
  check(
    typeof ids === "object" && ids.shape.length === 2,
    "argument",
    () => 'dropout needs the batch to have "ids" [B,T]',
  );
  return ids.shape as [number, number];
}

export const prefixed = (prefix: string, params: Params): Arrays32 =>
  Object.fromEntries(Object.entries(params).map(([name, { data }]) => [`${prefix}/${name}`, data]));

export const wholes = (prefix: string, { buckets }: Store): Arrays32 =>
  Object.fromEntries(Object.entries(buckets).map(([name, data]) => [`${prefix}/${name}`, data]));

export function batchFeeds(batch: Batch): Arrays32 {
  return Object.fromEntries(
    Object.entries(batch).map(([name, x]) => [
      `b/${name}`,
      typeof x === "number" ? Float32Array.of(x) : x.data,
    ]),
  );
}

export function shapesOf(batch: Batch): string {
  const one = ([name, x]: [string, HostTensor | number]) =>
    typeof x === "number" ? `${name}:f32[]` : `${name}:${dtypeOf(x)}[${x.shape}]`;
  return Object.entries(batch).map(one).sort().join(" ");
}

/** The arrays of several steps, one after the other in one array by name. */
export function stacked(each: readonly Arrays[]): Arrays {
  return Object.fromEntries(
    Object.entries(each[0]!).map(([name, { length }]) => {
      const all = each.map((arrays) => arrays[name]!);
      const out = new (all[0]!.constructor as new (size: number) => HostArray)(length * all.length);
      for (const [i, one] of all.entries()) out.set(one, i * length);
      return [name, out];
    }),
  );
}

/** Of the `index`-th of several steps that one run took. */
export function readResult(out: Arrays32, index = 0): StepResult {
  const metrics = Object.entries(out).filter(([name]) => name.startsWith("metric/"));
  return {
    loss: out.loss?.[index] ?? 0,
    grad_norm: out.grad_norm?.[index] ?? 0,
    metrics: Object.fromEntries(metrics.map(([name, x]) => [name.slice("metric/".length), x[index]!])),
  };
}
