// Pieces that several architectures share: linear maps by weight name, heads, causal attention whole and cached.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { FORBIDDEN } from "../ir/ops/fused.ts";
import type { Caches } from "./model.ts";

/** Queries per block of causal attention; shorter blocks cost more in copies than they save. */
const QUERY_BLOCK = 128;

/** A weight by its Hugging Face name. */
export function paramOf(params: Readonly<Record<string, Value>>, name: string): Value {
  const value = params[name];
  check(value !== undefined, "missing", () => `the model has no weight "${name}"`);
  return value;
}

/** x [N,in] → [N,out] with weight [out,in], and with the bias if the weights have one. */
export function linear(b: Builder, params: Readonly<Record<string, Value>>, x: Value, name: string): Value {
  const bias = params[`${name}.bias`];
  const y = b.linear(x, paramOf(params, `${name}.weight`));
  return bias ? b.add(y, bias) : y;
}

/** [B·T, heads·width] → [B, heads, T, width]. */
export function splitHeads(b: Builder, x: Value, B: number, heads: number): Value {
  const T = x.shape[0]! / B;
  const width = x.shape[1]! / heads;
  if (T === 1) return b.reshape(x, [B, heads, 1, width]);
  return b.transpose(b.reshape(x, [B, T, heads, width]), [0, 2, 1, 3]);
}

/** [B, heads, T, width] → [B·T, heads·width]. */
export function mergeHeads(b: Builder, x: Value): Value {
  const [B, heads, T, width] = x.shape as [number, number, number, number];
  const rows = T === 1 ? x : b.transpose(x, [0, 2, 1, 3]);
  return b.reshape(rows, [B * T, heads * width]);
}

const made = new WeakMap<Builder, Map<string, Value>>();

/** A value that several layers of one graph use, made by the first. Long constants would otherwise be stored once each. */
export function once(b: Builder, key: string, make: () => Value): Value {
  const known = made.get(b) ?? new Map<string, Value>();
  made.set(b, known);
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

/** 0..T-1 for each of B rows, [B,T]. */
export function arange(b: Builder, B: number, T: number): Value {
  return b.integers(
    Array.from({ length: B * T }, (_, i) => i % T),
    [B, T],
  );
}

export interface AttentionOptions {
  readonly scale: number;
  /** A token sees this many, itself included. Default: all before it. */
  readonly window?: number | undefined;
}

/**
 * q [B,H,T,d] sees k and v [B,K,T,d] up to its own position. Long sequences go in blocks of queries, each against
 * the keys up to its end only: two blocks do 3/4 of the work, four do 5/8.
 */
export function causalAttention(
  b: Builder,
  q: Value,
  k: Value,
  v: Value,
  { scale, window = Number.POSITIVE_INFINITY }: AttentionOptions,
): Value {
  const T = q.shape[2]!;
  const blocks = T % QUERY_BLOCK === 0 ? Math.min(4, T / QUERY_BLOCK) : 1;
  const rows = T / blocks;
  const queries = blocks === 1 ? [q] : b.split(q, 2, new Array<number>(blocks).fill(rows));
  const outs = queries.map((part, i) => {
    const [start, end] = [i * rows, (i + 1) * rows];
    const from = Math.max(0, start - window + 1);
    const seen = end - from;
    const hidden = (at: number) => {
      const behind = start + Math.floor(at / seen) - (from + (at % seen));
      return behind < 0 || behind >= window;
    };
    const bias = once(b, `causal ${start} ${end} ${from} ${window}`, () =>
      b.constant(
        Float32Array.from({ length: rows * seen }, (_, at) => (hidden(at) ? FORBIDDEN : 0)),
        [1, 1, rows, seen],
      ),
    );
    const keys = seen === T ? k : b.slice(k, 2, from, end);
    const values = seen === T ? v : b.slice(v, 2, from, end);
    return b.attention(part, keys, values, bias, scale);
  });
  return outs.length === 1 ? outs[0]! : b.concat(outs, 2);
}

interface CachedOptions extends AttentionOptions {
  /** Scores to add, broadcast to [B,H,1,S]. */
  readonly bias?: Value;
}

/**
 * Attention for one token per row at positions [B], over the caches k0 v0 k1 v1 … that take each layer's key and value
 * up: `updated` fills as layers attend.
 */
export function cachedAttention(
  b: Builder,
  caches: Caches,
  positions: Value,
  optionsOf: (layer: number) => CachedOptions,
) {
  const updated: Record<string, Value> = {};
  return {
    updated,
    attend(q: Value, k: Value, v: Value, i: number): Value {
      const cache = { keys: caches[`k${i}`]!, values: caches[`v${i}`]! };
      const next = b.cachedAttention({ q, k, v }, cache, positions, optionsOf(i));
      updated[`k${i}`] = next.keys;
      updated[`v${i}`] = next.values;
      return next.out;
    },
  };
}
