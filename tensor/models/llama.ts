// The Llama family as graphs, in reading order: norm, attention, norm, MLP; once for whole sequences, once for one token with a cache.

import { TensorError } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { dimensions, type LlamaConfig, ropeTheta } from "./config.ts";

/** Added to a score to forbid a position; exp of it is exactly 0. */
const FORBIDDEN = -1e9;

/** Queries per block of causal attention; shorter blocks cost more in copies than they save. */
const QUERY_BLOCK = 128;

/** Keys and values of one layer, [B, kvHeads, T, headDim] each; the keys are already rotated. */
export interface LayerCache {
  readonly k: Value;
  readonly v: Value;
}

/** A model inside a graph. Sequences are right-padded: with causal attention no real token sees the padding. */
export interface Model {
  readonly config: LlamaConfig;
  /** A weight by its Hugging Face name, also one that only a loss uses ("score.weight"). */
  param(name: string): Value;
  /** ids [B,T] → final hidden states after the last norm [B·T, D]. */
  hidden(ids: Value): Value;
  /** hidden rows [N,D] → logits [N,V]. */
  head(rows: Value): Value;
  /** ids [B,T] → logits [B,T,V]; position t predicts token t+1. */
  logits(ids: Value): Value;
  /** ids [B,T] → log p(ids[t] | ids[<t]) in nats [B,T]; 0 at t = 0. */
  tokenLogprobs(ids: Value): Value;
  /** ids [B,T] → log p(ids[t] | ids[<t]) [B,T-1] for t ≥ 1 and the whole distribution [B·(T-1),V]. */
  nextTokenLogprobs(ids: Value): { picked: Value; all: Value };
  /**
   * Only some predictions, which saves the head's work on the others: rows [R] into the B·T positions and the token
   * targets [R] that each predicts → log-probabilities in nats [R]. See supervisedRows().
   */
  logprobsAt(ids: Value, rows: Value, targets: Value): Value;
  /** Whole prompts ids [B,T] → hidden [B·T,D] and the caches they leave. */
  prefill(ids: Value): { hidden: Value; caches: LayerCache[] };
  /** One token per row: ids [B], positions [B] ≤ the slots S of the caches → hidden [B,D] and this token's cache slices. */
  step(ids: Value, positions: Value, caches: readonly LayerCache[]): { hidden: Value; caches: LayerCache[] };
}

export function llama(b: Builder, config: LlamaConfig, params: Readonly<Record<string, Value>>): Model {
  const { heads, kvHeads, headDim } = dimensions(config);
  const { rms_norm_eps: eps, hidden_size: D } = config;

  function param(name: string): Value {
    const value = params[name];
    if (!value) throw new TensorError("missing", `the model has no weight "${name}"`);
    return value;
  }

  /** x [N,in] → [N,out], with the bias if the weights have one. */
  function linear(x: Value, name: string): Value {
    const bias = params[`${name}.bias`];
    const y = b.linear(x, param(`${name}.weight`));
    return bias ? b.add(y, bias) : y;
  }

  /** [B·T, heads·headDim] → [B, heads, T, headDim]. */
  function split(x: Value, B: number, n: number): Value {
    const T = x.shape[0]! / B;
    if (T === 1) return b.reshape(x, [B, n, 1, headDim]);
    return b.transpose(b.reshape(x, [B, T, n, headDim]), [0, 2, 1, 3]);
  }

  /** [B, heads, T, headDim] → [B·T, heads·headDim]. */
  function merge(x: Value): Value {
    const [B, , T] = x.shape as [number, number, number];
    const rows = T === 1 ? x : b.transpose(x, [0, 2, 1, 3]);
    return b.reshape(rows, [B * T, heads * headDim]);
  }

  /** The stack of layers over x [B·T,D]; `attend` sees rotated q, k and plain v of layer i. */
  function layers(
    ids: Value,
    positions: Value,
    slots: number,
    attend: (q: Value, k: Value, v: Value, i: number) => Value,
  ): { hidden: Value; caches: LayerCache[] } {
    const [B] = positions.shape as [number];
    const { cos, sin } = rotaryTables(b, config, slots);
    const caches: LayerCache[] = [];
    let x = b.gatherRows(param("model.embed_tokens.weight"), b.reshape(ids, [-1]));
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const layer = `model.layers.${i}`;

      const h = b.rmsnorm(x, param(`${layer}.input_layernorm.weight`), eps);
      const q = b.rope(split(linear(h, `${layer}.self_attn.q_proj`), B, heads), positions, cos, sin);
      const k = b.rope(split(linear(h, `${layer}.self_attn.k_proj`), B, kvHeads), positions, cos, sin);
      const v = split(linear(h, `${layer}.self_attn.v_proj`), B, kvHeads);
      caches.push({ k, v });
      x = b.add(x, linear(merge(attend(q, k, v, i)), `${layer}.self_attn.o_proj`));

      const m = b.rmsnorm(x, param(`${layer}.post_attention_layernorm.weight`), eps);
      const gated = b.swiglu(linear(m, `${layer}.mlp.gate_proj`), linear(m, `${layer}.mlp.up_proj`));
      x = b.add(x, linear(gated, `${layer}.mlp.down_proj`));
    }
    return { hidden: b.rmsnorm(x, param("model.norm.weight"), eps), caches };
  }

  const scale = 1 / Math.sqrt(headDim);

  function prefill(ids: Value) {
    const [B, T] = ids.shape as [number, number];
    if (T > config.max_position_embeddings) {
      throw new TensorError(
        "argument",
        `${T} tokens, but max_position_embeddings is ${config.max_position_embeddings}`,
      );
    }
    const positions = b.integers(
      Array.from({ length: B * T }, (_, i) => i % T),
      [B, T],
    );
    return layers(ids, positions, T, (q, k, v) => causalAttention(b, q, k, v, scale));
  }

  function step(ids: Value, positions: Value, caches: readonly LayerCache[]) {
    const [B] = ids.shape as [number];
    const S = caches[0]!.k.shape[2]!;
    const slot = b.integers(
      Array.from({ length: S }, (_, i) => i),
      [1, S],
    );
    const filled = b.greater(b.reshape(positions, [B, 1]), slot); // slots before this token
    const bias = b.reshape(b.select(filled, 0, FORBIDDEN), [B, 1, 1, S]);
    const group = heads / kvHeads;
    return layers(ids, b.reshape(positions, [B, 1]), S, (q, k, v, i) => {
      // Old slots and the new one are scored apart, so that the cache is never copied.
      const cache = caches[i]!;
      const queries = b.reshape(q, [B, kvHeads, group, headDim]);
      const old = b.add(b.matmul(queries, cache.k, { transB: true, alpha: scale }), bias);
      const own = b.matmul(queries, k, { transB: true, alpha: scale });
      const [pOld, pOwn] = b.split(b.softmax(b.concat([old, own], 3)), 3, [S, 1]);
      const out = b.add(b.matmul(pOld!, cache.v), b.mul(pOwn!, v));
      return b.reshape(out, [B, heads, 1, headDim]);
    });
  }

  const hidden = (ids: Value) => prefill(ids).hidden;
  const head = (rows: Value) =>
    b.linear(rows, param(config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight"));

  function nextTokenLogprobs(ids: Value) {
    const [B, T] = ids.shape as [number, number];
    const before = b.reshape(b.slice(b.reshape(hidden(ids), [B, T, D]), 1, 0, T - 1), [B * (T - 1), D]);
    const targets = b.reshape(b.slice(ids, 1, 1, T), [B * (T - 1)]);
    const { picked, all } = b.tokenLogprob(head(before), targets);
    return { picked: b.reshape(picked, [B, T - 1]), all };
  }

  return {
    config,
    param,
    hidden,
    head,
    logits: (ids) => b.reshape(head(hidden(ids)), [...ids.shape, config.vocab_size]),
    tokenLogprobs: (ids) => b.pad(nextTokenLogprobs(ids).picked, 1, 1, 0),
    nextTokenLogprobs,
    logprobsAt: (ids, rows, targets) => b.tokenLogprob(head(b.gatherRows(hidden(ids), rows)), targets).picked,
    prefill,
    step,
  };
}

/**
 * q [B,H,T,d] sees k and v [B,K,T,d] up to its own position. Long sequences go in blocks of queries, each against
 * the keys up to its end only: two blocks do 3/4 of the work, four do 5/8.
 */
function causalAttention(b: Builder, q: Value, k: Value, v: Value, scale: number): Value {
  const T = q.shape[2]!;
  const blocks = T % QUERY_BLOCK === 0 ? Math.min(4, T / QUERY_BLOCK) : 1;
  const rows = T / blocks;
  const queries = blocks === 1 ? [q] : b.split(q, 2, new Array<number>(blocks).fill(rows));
  const outs = queries.map((part, i) => {
    const [start, end] = [i * rows, (i + 1) * rows];
    const future = (at: number) => at % end > start + Math.floor(at / end);
    const bias = Float32Array.from({ length: rows * end }, (_, at) => (future(at) ? FORBIDDEN : 0));
    const keys = end === T ? k : b.slice(k, 2, 0, end);
    const values = end === T ? v : b.slice(v, 2, 0, end);
    return b.attention(part, keys, values, b.constant(bias, [1, 1, rows, end]), scale);
  });
  return outs.length === 1 ? outs[0]! : b.concat(outs, 2);
}

/** cos and sin of position · theta^(-2j/d) for positions 0..P-1: [P, headDim/2] each. */
function rotaryTables(b: Builder, config: LlamaConfig, P: number): { cos: Value; sin: Value } {
  const { headDim } = dimensions(config);
  const half = headDim / 2;
  const angle = (i: number) => {
    // Rounded to fp32 where Hugging Face rounds: the inverse frequency, then the product.
    const frequency = Math.fround(1 / ropeTheta(config) ** ((2 * (i % half)) / headDim));
    return Math.fround(Math.floor(i / half) * frequency);
  };
  return {
    cos: b.constant(
      Float32Array.from({ length: P * half }, (_, i) => Math.cos(angle(i))),
      [P, half],
    ),
    sin: b.constant(
      Float32Array.from({ length: P * half }, (_, i) => Math.sin(angle(i))),
      [P, half],
    ),
  };
}
