// A model inside a graph: the little that each architecture computes, and everything that follows from it.

import { check } from "../error.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { takeRows } from "../ir/passes/rows.ts";
import type { Geometry } from "./architecture.ts";
import { architectureOf, geometry, type ModelConfig } from "./config.ts";
import { paramOf } from "./layers.ts";

/** The arrays of a decoding cache by name, [B, heads, slots, width] each; see Geometry.cache. */
export type Caches = Readonly<Record<string, Value>>;

/** What an encoder made of its input. */
export interface Encoded {
  /** [B·S, D] */
  readonly hidden: Value;
  /** 1 for tokens, 0 for padding: [B,S]. */
  readonly mask: Value;
}

export interface Core {
  /** ids [B,T] → final hidden states after the last norm [B·T, D]. */
  hidden(ids: Value, source?: Encoded): Value;
  /** hidden rows [N,D] → logits [N,V]. */
  head(rows: Value): Value;
  /** Input of an encoder, ids [B,S] and mask [B,S]. Only encoder-decoder models have one. */
  encode?(ids: Value, mask: Value): Encoded;
  /**
   * Whole prompts ids [B,T] with the row in B·T of each one's last token, [B] → hidden [B,D] that predicts the first
   * new token, and the caches they leave. An encoder-decoder model encodes the prompts and decodes its start token.
   */
  prefill(ids: Value, last: Value): { hidden: Value; caches: Caches };
  /** One token per row: ids [B], positions [B] < the slots S of the caches → hidden [B,D] and the own caches with this token. */
  step(ids: Value, positions: Value, caches: Caches): { hidden: Value; caches: Caches };
}

/**
 * Sequences are right-padded: with causal attention no real token sees the padding. For an encoder-decoder model `ids`
 * are the decoder's, beginning with its start token, and `source` is what encode() gave; other models take no source.
 */
export interface Model extends Core {
  readonly config: ModelConfig;
  readonly geometry: Geometry;
  /** A weight by its Hugging Face name, also one that only a loss uses ("score.weight"). */
  param(name: string): Value;
  /** Throws where there is no encoder. */
  encode(ids: Value, mask: Value): Encoded;
  /** ids [B,T] → logits [B,T,V]; position t predicts token t+1. */
  logits(ids: Value, source?: Encoded): Value;
  /** ids [B,T] → log p(ids[t] | ids[<t]) in nats [B,T]; 0 at t = 0. */
  tokenLogprobs(ids: Value, source?: Encoded): Value;
  /** ids [B,T] → log p(ids[t] | ids[<t]) [B,T-1] for t ≥ 1 and the whole distribution [B·(T-1),V]. */
  nextTokenLogprobs(ids: Value, source?: Encoded): { picked: Value; all: Value };
  /**
   * The final hidden states at rows [R] of the B·T positions alone, [R,D]: no two may be the same. The last layer does no
   * work on the others that it need not.
   */
  hiddenAt(ids: Value, rows: Value, source?: Encoded): Value;
  /**
   * Only some predictions, which saves the head's work on the others: rows [R] into the B·T positions and the token
   * targets [R] that each predicts → log-probabilities in nats [R]. See supervisedRows().
   */
  logprobsAt(ids: Value, rows: Value, targets: Value, source?: Encoded): Value;
}

/** The batch's "source" [B,S] and "source_mask" [B,S] through the model's encoder; undefined for a batch without. */
export function sourceOf(model: Model, batch: Readonly<Record<string, Value>>): Encoded | undefined {
  return batch.source && model.encode(batch.source, batch.source_mask!);
}

export function buildModel(b: Builder, config: ModelConfig, params: Readonly<Record<string, Value>>): Model {
  const core = architectureOf(config).build(b, config, params);
  const about = geometry(config);
  const kind = config.model_type ?? "llama";

  function hidden(ids: Value, source?: Encoded): Value {
    check(
      (source !== undefined) === (core.encode !== undefined),
      "argument",
      () => (source ? `a ${kind} model has no encoder` : `a ${kind} model wants a source`),
      source ? undefined : "model.tokenLogprobs(ids, model.encode(source, sourceMask))",
    );
    const T = ids.shape[1]!;
    check(
      T <= about.maxLength,
      "argument",
      () => `${T} tokens, but the longest sequence of this model is ${about.maxLength}`,
    );
    return core.hidden(ids, source);
  }

  function nextTokenLogprobs(ids: Value, source?: Encoded) {
    const [B, T] = ids.shape as [number, number];
    const states = b.reshape(hidden(ids, source), [B, T, about.hiddenSize]);
    const before = b.reshape(b.slice(states, 1, 0, T - 1), [B * (T - 1), about.hiddenSize]);
    const targets = b.reshape(b.slice(ids, 1, 1, T), [B * (T - 1)]);
    const { picked, all } = b.tokenLogprob(core.head(before), targets);
    return { picked: b.reshape(picked, [B, T - 1]), all };
  }

  return {
    ...core,
    config,
    geometry: about,
    param: (name) => paramOf(params, name),
    hidden,
    hiddenAt: (ids, rows, source) => takeRows(b, hidden(ids, source), rows),
    encode(ids, mask) {
      check(core.encode !== undefined, "argument", () => `a ${kind} model has no encoder`);
      return core.encode(ids, mask);
    },
    logits: (ids, source) => b.reshape(core.head(hidden(ids, source)), [...ids.shape, about.vocabSize]),
    tokenLogprobs: (ids, source) => b.pad(nextTokenLogprobs(ids, source).picked, 1, 1, 0),
    nextTokenLogprobs,
    logprobsAt: (ids, rows, targets, source) =>
      b.tokenLogprob(core.head(b.gatherRows(hidden(ids, source), rows)), targets).picked,
  };
}
