// What one family of models declares, so that trainer, scorer, evaluator and generator can treat all families alike.

import type { Params } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import type { Shape } from "../shape.ts";
import type { Core } from "./model.ts";

export interface Architecture<C> {
  /** Refuses what the graph would silently compute otherwise. */
  check(config: C): void;
  geometry(config: C): Geometry;
  /** Every parameter that the config implies, by its Hugging Face name and in its layout. */
  shapes(config: C): Record<string, Shape>;
  /** Standard deviation of a fresh matrix. Vectors are 1, biases 0. */
  spread(config: C, name: string): number;
  /** Names of saved files brought to those of `shapes`; buffers that are no weights are left out. */
  adopt?(config: C, params: Params): Params;
  build(b: Builder, config: C, params: Readonly<Record<string, Value>>): Core;
}

/** The numbers that callers need of any model. */
export interface Geometry {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Longest sequence in tokens; Infinity where positions are relative. */
  readonly maxLength: number;
  readonly cache: readonly CacheEntry[];
  /** The token that a decoder's sequences begin with, if the prompt goes to an encoder of its own. */
  readonly decoderStart?: number;
}

/** One array of a decoding cache, [B, heads, slots, width]. */
export interface CacheEntry {
  readonly name: string;
  readonly heads: number;
  readonly width: number;
  /** "own" slots take one token per step; "source" slots are written once, by the encoder. */
  readonly slots: "own" | "source";
}

/** k0 v0 k1 v1 … of decoder layers. */
export function keyValueCache(layers: number, heads: number, width: number): CacheEntry[] {
  return Array.from({ length: layers }, (_, i) =>
    [`k${i}`, `v${i}`].map((name): CacheEntry => ({ name, heads, width, slots: "own" })),
  ).flat();
}
