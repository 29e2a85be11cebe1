// T5 as graphs: an encoder and a decoder with relative positions, norms without mean, no biases, unscaled attention.
// https://arxiv.org/abs/1910.10683; the gated MLP and the separate head are those of version 1.1.

import { check } from "../error.ts";
import type { Params } from "../host.ts";
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { FORBIDDEN } from "../ir/ops/fused.ts";
import type { Shape } from "../shape.ts";
import { type Activation, activate, checkActivation } from "./activation.ts";
import { type Architecture, type CacheEntry, type Geometry, keyValueCache } from "./architecture.ts";
import { cachedAttention, mergeHeads, paramOf, splitHeads } from "./layers.ts";
import type { Core, Encoded } from "./model.ts";
import { biasByDistance, biasBySlot, relativeBias } from "./relative-positions.ts";

export interface T5Config {
  readonly model_type: "t5";
  readonly vocab_size: number;
  readonly d_model: number;
  /** Width of one head; heads times this need not be d_model. */
  readonly d_kv: number;
  readonly d_ff: number;
  readonly num_layers: number;
  /** Default: as many as the encoder has. */
  readonly num_decoder_layers?: number | null;
  readonly num_heads: number;
  /** Default 32. */
  readonly relative_attention_num_buckets?: number;
  /** Distances from here on share a bucket. Default 128. */
  readonly relative_attention_max_distance?: number;
  /** Default 1e-6. */
  readonly layer_norm_epsilon?: number;
  /** "relu" of the first version (the default), "gated-gelu" of 1.1, "gated-silu". */
  readonly feed_forward_proj?: string;
  /** False means a head of its own, and states that are not scaled for it. Default true. */
  readonly tie_word_embeddings?: boolean;
  /** What newer files say instead, whose tie_word_embeddings is always true. */
  readonly scale_decoder_outputs?: boolean;
  readonly pad_token_id?: number | null;
  /** Begins every decoder sequence. Default: the padding token, or else 0. */
  readonly decoder_start_token_id?: number | null;
  /** Factor of the spread of fresh weights. */
  readonly initializer_factor?: number;
}

export const t5: Architecture<T5Config> = { check: checkConfig, geometry, shapes, spread, adopt, build };

const decoderLayers = (config: T5Config) => config.num_decoder_layers ?? config.num_layers;
const tied = (config: T5Config) => config.scale_decoder_outputs ?? config.tie_word_embeddings ?? true;

function feedForward(config: T5Config): { gated: boolean; activation: string } {
  const { feed_forward_proj = "relu" } = config;
  const gated = feed_forward_proj.startsWith("gated-");
  const name = gated ? feed_forward_proj.slice("gated-".length) : feed_forward_proj;
  // Version 1.1 says gelu and was trained with its tanh form.
  return { gated, activation: gated && name === "gelu" ? "gelu_new" : name };
}

function checkConfig(config: T5Config): void {
  checkActivation("feed_forward_proj", feedForward(config).activation);
  const { relative_attention_num_buckets: buckets = 32 } = config;
  check(
    buckets % 4 === 0,
    "argument",
    () => `relative_attention_num_buckets is ${buckets}, wants a multiple of 4`,
  );
}

function geometry(config: T5Config): Geometry {
  const { num_heads, d_kv } = config;
  const layers = decoderLayers(config);
  const source = (name: string, heads: number, width: number): CacheEntry => ({
    name,
    heads,
    width,
    slots: "source",
  });
  const cross = Array.from({ length: layers }, (_, i) => [`ck${i}`, `cv${i}`]).flat();
  return {
    vocabSize: config.vocab_size,
    hiddenSize: config.d_model,
    maxLength: Number.POSITIVE_INFINITY,
    cache: [
      ...keyValueCache(layers, num_heads, d_kv),
      ...cross.map((name) => source(name, num_heads, d_kv)),
      source("mask", 1, 1),
    ],
    decoderStart: config.decoder_start_token_id ?? config.pad_token_id ?? 0,
  };
}

function shapes(config: T5Config): Record<string, Shape> {
  const { d_model: D, d_ff: F, vocab_size: V, num_heads, relative_attention_num_buckets = 32 } = config;
  const inner = num_heads * config.d_kv;
  const all: Record<string, Shape> = { "shared.weight": [V, D] };
  const attention = (name: string) => {
    for (const part of ["q", "k", "v"]) all[`${name}.${part}.weight`] = [inner, D];
    all[`${name}.o.weight`] = [D, inner];
  };
  const stack = (name: "encoder" | "decoder", layers: number) => {
    for (let i = 0; i < layers; i++) {
      const parts =
        name === "encoder" ? ["SelfAttention", "MLP"] : ["SelfAttention", "EncDecAttention", "MLP"];
      for (const [j, part] of parts.entries()) {
        const layer = `${name}.block.${i}.layer.${j}`;
        if (part !== "MLP") attention(`${layer}.${part}`);
        else {
          const wide = feedForward(config).gated ? ["wi_0", "wi_1"] : ["wi"];
          for (const wi of wide) all[`${layer}.DenseReluDense.${wi}.weight`] = [F, D];
          all[`${layer}.DenseReluDense.wo.weight`] = [D, F];
        }
        if (i === 0 && j === 0) all[positionsOf(name)] = [relative_attention_num_buckets, num_heads];
        all[`${layer}.layer_norm.weight`] = [D];
      }
    }
    all[`${name}.final_layer_norm.weight`] = [D];
  };
  stack("encoder", config.num_layers);
  stack("decoder", decoderLayers(config));
  if (!tied(config)) all["lm_head.weight"] = [V, D];
  return all;
}

const positionsOf = (stack: "encoder" | "decoder") =>
  `${stack}.block.0.layer.0.SelfAttention.relative_attention_bias.weight`;

/** As in mesh-tensorflow: each map keeps the variance of its input; queries also take the place of the attention's scale. */
function spread(config: T5Config, name: string): number {
  const { d_model, d_kv, d_ff, num_heads, initializer_factor = 1 } = config;
  const last = name.split(".").at(-2)!;
  const fanIn: Record<string, number> = { shared: 1, q: d_model * d_kv, o: num_heads * d_kv, wo: d_ff };
  return initializer_factor * (fanIn[last] ?? d_model) ** -0.5;
}

/** Some files repeat the shared embedding for each stack, and for the head. */
function adopt(config: T5Config, params: Params): Params {
  const known = shapes(config);
  const repeated = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight", "lm_head.weight"];
  return Object.fromEntries(
    Object.entries(params).filter(([name]) => name in known || !repeated.includes(name)),
  );
}

function build(b: Builder, config: T5Config, params: Readonly<Record<string, Value>>): Core {
  checkConfig(config);
  const { d_model: D, num_heads: heads, layer_norm_epsilon: eps = 1e-6 } = config;
  const { gated, activation } = feedForward(config) as { gated: boolean; activation: Activation };
  const buckets = {
    buckets: config.relative_attention_num_buckets ?? 32,
    maxDistance: config.relative_attention_max_distance ?? 128,
  };
  const layers = decoderLayers(config);
  const start = geometry(config).decoderStart!;
  const param = (name: string) => paramOf(params, name);
  const linear = (x: Value, name: string) => b.linear(x, param(`${name}.weight`));
  const norm = (x: Value, name: string) => b.rmsnorm(x, param(`${name}.weight`), eps);
  const embed = (ids: Value) => b.gatherRows(param("shared.weight"), b.reshape(ids, [-1]));
  /** Scores to add for the source's padding, [B,1,1,S]. */
  const sourceBias = (mask: Value, B: number, S: number) =>
    b.reshape(b.select(b.greater(mask, 0), 0, FORBIDDEN), [B, 1, 1, S]);

  function mlp(x: Value, layer: string): Value {
    const [h, dense] = [norm(x, `${layer}.layer_norm`), `${layer}.DenseReluDense`];
    const wide = gated
      ? b.mul(activate(b, linear(h, `${dense}.wi_0`), activation), linear(h, `${dense}.wi_1`))
      : activate(b, linear(h, `${dense}.wi`), activation);
    return b.add(x, linear(wide, `${dense}.wo`));
  }

  /** Norm and the q, k or v of an attention, [B,heads,T,d]. */
  const part = (h: Value, name: string, B: number) => splitHeads(b, linear(h, name), B, heads);

  function encode(ids: Value, mask: Value): Encoded {
    const [B, S] = ids.shape as [number, number];
    const positions = relativeBias(b, param(positionsOf("encoder")), { ...buckets, both: true }, S);
    const bias = b.add(positions, sourceBias(mask, B, S));
    let x = embed(ids);
    for (let i = 0; i < config.num_layers; i++) {
      const layer = `encoder.block.${i}.layer`;
      const self = `${layer}.0.SelfAttention`;
      const h = norm(x, `${layer}.0.layer_norm`);
      const [q, k, v] = ["q", "k", "v"].map((name) => part(h, `${self}.${name}`, B)) as [Value, Value, Value];
      x = b.add(x, linear(mergeHeads(b, b.attention(q, k, v, bias, 1)), `${self}.o`));
      x = mlp(x, `${layer}.1`);
    }
    return { hidden: norm(x, "encoder.final_layer_norm"), mask };
  }

  /** Keys and values of the source for every decoder layer. */
  function crossCaches({ hidden }: Encoded, B: number): Record<string, Value> {
    const caches: Record<string, Value> = {};
    for (let i = 0; i < layers; i++) {
      const cross = `decoder.block.${i}.layer.1.EncDecAttention`;
      caches[`ck${i}`] = part(hidden, `${cross}.k`, B);
      caches[`cv${i}`] = part(hidden, `${cross}.v`, B);
    }
    return caches;
  }

  function decode(
    ids: Value,
    B: number,
    source: Readonly<Record<string, Value>>,
    crossBias: Value,
    attend: (q: Value, k: Value, v: Value, i: number) => Value,
  ) {
    const caches: Record<string, Value> = {};
    let x = embed(ids);
    for (let i = 0; i < layers; i++) {
      const layer = `decoder.block.${i}.layer`;
      const self = `${layer}.0.SelfAttention`;
      const h = norm(x, `${layer}.0.layer_norm`);
      const [q, k, v] = ["q", "k", "v"].map((name) => part(h, `${self}.${name}`, B)) as [Value, Value, Value];
      caches[`k${i}`] = k;
      caches[`v${i}`] = v;
      x = b.add(x, linear(mergeHeads(b, attend(q, k, v, i)), `${self}.o`));

      const cross = `${layer}.1.EncDecAttention`;
      const query = part(norm(x, `${layer}.1.layer_norm`), `${cross}.q`, B);
      const seen = b.attention(query, source[`ck${i}`]!, source[`cv${i}`]!, crossBias, 1);
      x = b.add(x, linear(mergeHeads(b, seen), `${cross}.o`));
      x = mlp(x, `${layer}.2`);
    }
    const hidden = norm(x, "decoder.final_layer_norm");
    return { hidden: tied(config) ? b.mul(hidden, D ** -0.5) : hidden, caches };
  }

  function whole(ids: Value, encoded: Encoded, source: Readonly<Record<string, Value>>) {
    const [B, T] = ids.shape as [number, number];
    const future = Float32Array.from({ length: T * T }, (_, at) =>
      at % T > Math.floor(at / T) ? FORBIDDEN : 0,
    );
    const positions = relativeBias(b, param(positionsOf("decoder")), { ...buckets, both: false }, T);
    const bias = b.add(positions, b.constant(future, [1, 1, T, T]));
    const crossBias = sourceBias(encoded.mask, B, encoded.mask.shape[1]!);
    return decode(ids, B, source, crossBias, (q, k, v) => b.attention(q, k, v, bias, 1));
  }

  return {
    encode,
    hidden: (ids, source) => whole(ids, source!, crossCaches(source!, ids.shape[0]!)).hidden,
    head: (rows) => b.linear(rows, param(tied(config) ? "shared.weight" : "lm_head.weight")),
    prefill(ids, last) {
      const [B, S] = ids.shape as [number, number];
      const at = b.integers(
        Array.from({ length: B * S }, (_, i) => i),
        [B, S],
      );
      const mask = b.cast(b.greaterEqual(b.reshape(last, [B, 1]), at), "f32");
      const encoded = encode(ids, mask);
      const source = crossCaches(encoded, B);
      const begin = b.integers(new Array<number>(B).fill(start), [B, 1]);
      const { hidden, caches } = whole(begin, encoded, source);
      return { hidden, caches: { ...caches, ...source, mask: b.reshape(mask, [B, 1, S, 1]) } };
    },
    step(ids, positions, caches) {
      const B = ids.shape[0]!;
      const [S, sources] = [caches.k0!.shape[2]!, caches.mask!.shape[2]!];
      const table = biasByDistance(b, param(positionsOf("decoder")), { ...buckets, both: false }, S);
      const bias = biasBySlot(b, table, positions, S);
      const cached = cachedAttention(b, caches, positions, () => ({ scale: 1, bias }));
      const { hidden } = decode(ids, B, caches, sourceBias(caches.mask!, B, sources), cached.attend);
      return { hidden, caches: cached.updated };
    },
  };
}
