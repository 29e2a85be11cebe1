// The Llama family as graphs, in reading order: norm, attention, norm, MLP; once for whole sequences, once for one token with a cache.

import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/graph.ts";
import { takeRows } from "../ir/passes/rows.ts";
import type { Architecture } from "./architecture.ts";
import {
  arange,
  cachedAttention,
  causalAttention,
  linear as linearOf,
  mergeHeads,
  paramOf,
  splitHeads,
} from "./layers.ts";
import {
  checkConfig,
  dimensions,
  type LlamaConfig,
  llamaGeometry,
  llamaShapes,
  windowOf,
} from "./llama-config.ts";
import type { Caches, Core } from "./model.ts";
import { rotaryTables } from "./rope.ts";

export const llama: Architecture<LlamaConfig> = {
  check: checkConfig,
  geometry: llamaGeometry,
  shapes: llamaShapes,
  spread: (config) => config.initializer_range ?? 0.02,
  build,
};

function build(b: Builder, config: LlamaConfig, params: Readonly<Record<string, Value>>): Core {
  const { heads, kvHeads, headDim } = dimensions(config);
  const { rms_norm_eps: eps } = config;
  const scale = 1 / Math.sqrt(headDim);
  const param = (name: string) => paramOf(params, name);
  const linear = (x: Value, name: string) => linearOf(b, params, x, name);

  /** Each head's vector normalised, where the weights have such norms (Qwen3). */
  function headNorm(x: Value, name: string): Value {
    const weight = params[`${name}.weight`];
    if (!weight) return x;
    return b.reshape(b.rmsnorm(b.reshape(x, [-1, headDim]), weight, eps), x.shape);
  }

  /** The stack of layers over x [B·T,D]; `attend` sees rotated q, k and plain v of layer i. */
  function layers(
    ids: Value,
    positions: Value,
    slots: number,
    attend: (q: Value, k: Value, v: Value, i: number) => Value,
  ): { hidden: Value; caches: Caches } {
    const [B] = positions.shape as [number];
    const { cos, sin } = rotaryTables(b, config, headDim, slots);
    const caches: Record<string, Value> = {};
    let x = b.gatherRows(param("model.embed_tokens.weight"), b.reshape(ids, [-1]));
    for (let i = 0; i < config.num_hidden_layers; i++) {
      const layer = `model.layers.${i}`;
      const self = `${layer}.self_attn`;

      const h = b.rmsnorm(x, param(`${layer}.input_layernorm.weight`), eps);
      const rotated = (name: "q" | "k", count: number) => {
        const rows = headNorm(linear(h, `${self}.${name}_proj`), `${self}.${name}_norm`);
        return b.rope(splitHeads(b, rows, B, count), positions, cos, sin);
      };
      const q = rotated("q", heads);
      const k = rotated("k", kvHeads);
      const v = splitHeads(b, linear(h, `${self}.v_proj`), B, kvHeads);
      caches[`k${i}`] = k;
      caches[`v${i}`] = v;
      x = b.add(x, linear(mergeHeads(b, attend(q, k, v, i)), `${self}.o_proj`));

      const m = b.rmsnorm(x, param(`${layer}.post_attention_layernorm.weight`), eps);
      const gated = b.swiglu(linear(m, `${layer}.mlp.gate_proj`), linear(m, `${layer}.mlp.up_proj`));
      x = b.add(x, linear(gated, `${layer}.mlp.down_proj`));
    }
    return { hidden: b.rmsnorm(x, param("model.norm.weight"), eps), caches };
  }

  function whole(ids: Value) {
    const [B, T] = ids.shape as [number, number];
    return layers(ids, arange(b, B, T), T, (q, k, v, i) =>
      causalAttention(b, q, k, v, { scale, window: windowOf(config, i) }),
    );
  }

  return {
    hidden: (ids) => whole(ids).hidden,
    head: (rows) =>
      b.linear(rows, param(config.tie_word_embeddings ? "model.embed_tokens.weight" : "lm_head.weight")),
    prefill(ids, last) {
      const { hidden, caches } = whole(ids);
      return { hidden: takeRows(b, hidden, last), caches };
    },
    step(ids, positions, caches) {
      const B = ids.shape[0]!;
      const S = caches.k0!.shape[2]!;
      const cached = cachedAttention(b, caches, positions, (i) => ({ scale, window: windowOf(config, i) }));
      const { hidden } = layers(ids, b.reshape(positions, [B, 1]), S, cached.attend);
      return { hidden, caches: cached.updated };
    },
  };
}
