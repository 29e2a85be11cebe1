// Pieces that several architectures share: linear maps by weight name, heads, causal attention whole and cached.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";

/** Added to a score to forbid a position; exp of it is exactly 0. */
export const FORBIDDEN = -1e9;

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

/** Scores to add for S slots at positions [B]: 0 where a slot is filled and within the window, [B,1,1,S]. */
export function slotBias(b: Builder, positions: Value, S: number, window?: number): Value {
  const { node, index } = positions;
  return once(b, `slots ${S} ${window} of ${node.id}.${index}`, () => {
    const B = positions.shape[0]!;
    const at = b.reshape(positions, [B, 1]);
    const slots = (shift: number) =>
      b.integers(
        Array.from({ length: S }, (_, i) => i + shift),
        [1, S],
      );
    let bias = b.select(b.greater(at, slots(0)), 0, FORBIDDEN); // slots before this token
    if (window !== undefined && window < S) {
      bias = b.add(bias, b.select(b.greater(slots(window), at), 0, FORBIDDEN));
    }
    return b.reshape(bias, [B, 1, 1, S]);
  });
}

/**
 * One query per row, q [B,H,1,d], over the slots of a cache [B,K,S,d] and its own key and value [B,K,1,d].
 * They are scored apart, so that the cache is never copied. Bias broadcasts to [B,H,1,S], ownBias to [B,H,1,1].
 */
export function cachedAttention(
  b: Builder,
  q: Value,
  own: { k: Value; v: Value },
  cache: { k: Value; v: Value },
  bias: Value,
  scale: number,
  ownBias?: Value,
): Value {
  const [B, H, , d] = q.shape as [number, number, number, number];
  const [, K, S] = cache.k.shape as [number, number, number];
  const grouped = (x: Value) =>
    x.shape[1] === H && K !== H ? b.reshape(x, [x.shape[0]!, K, H / K, x.shape[3]!]) : x;
  const queries = grouped(q);
  const old = b.add(b.matmul(queries, cache.k, { transB: true, alpha: scale }), grouped(bias));
  const self = b.matmul(queries, own.k, { transB: true, alpha: scale });
  const scores = b.concat([old, ownBias ? b.add(self, grouped(ownBias)) : self], 3);
  const [pOld, pOwn] = b.split(b.softmax(scores), 3, [S, 1]);
  const out = b.add(b.matmul(pOld!, cache.v), b.mul(pOwn!, own.v));
  return b.reshape(out, [B, H, 1, d]);
}
