// Declares `encoder_decoder`: a T5 with fresh weights over a tokenizer.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export const encoderDecoder = defineModel(
  {
    name: "encoder_decoder",
    version: 1,
    doc: "A T5 of version 1.1 (relative positions, RMSNorm, a gated GELU, a head of its own) with random weights, ready for `pretrain`.",
    inputs: [
      {
        name: "tokenizer",
        type: { kind: "tokenizer" },
        doc: "Gives the vocabulary; travels with the model, and gets the sentinels of `extra_ids`.",
      },
    ],
    params: Type.Object({
      layers: Type.Integer({
        "x-rehearse": { most: 1 },
        minimum: 1,
        default: 2,
        description:
          "Blocks of the encoder (`num_layers`), and of the decoder unless `decoder_layers` says otherwise.",
        "x-source": "as many in all as `decoder` has",
      }),
      decoder_layers: Type.Optional(
        Type.Integer({
          "x-rehearse": { most: 1 },
          minimum: 1,
          description: "Blocks of the decoder (`num_decoder_layers`); as many as `layers` unless given.",
        }),
      ),
      hidden_size: Type.Integer({
        "x-rehearse": { always: 32 },
        minimum: 8,
        default: 192,
        description: "Width of the residual stream (`d_model`).",
        "x-source": "as in `decoder`",
      }),
      heads: Type.Integer({
        "x-rehearse": { always: 2 },
        minimum: 1,
        default: 6,
        description: "Heads of every attention (`num_heads`).",
        "x-source": "32 per head at the default width",
      }),
      head_size: Type.Optional(
        Type.Integer({
          "x-rehearse": { most: 16 },
          minimum: 1,
          description:
            "Width of a head (`d_kv`); hidden_size / heads unless given, which T5 does not ask for.",
        }),
      ),
      intermediate_size: Type.Integer({
        "x-rehearse": { most: 64 },
        minimum: 8,
        default: 512,
        description: "Width of the gated block (`d_ff`).",
        "x-source": "8/3 of the width (Shazeer 2020), in multiples of 32",
      }),
      relative_attention_num_buckets: Type.Integer({
        minimum: 4,
        multipleOf: 4,
        default: 32,
        description: "Distances that have a bias of their own, counting ranges of far ones as one.",
        "x-source": "Raffel et al. 2019 §2.1; transformers T5Config",
      }),
      relative_attention_max_distance: Type.Integer({
        minimum: 4,
        default: 128,
        description: "Distances from here on share a bias.",
        "x-unit": "tokens",
        "x-source": "Raffel et al. 2019 §2.1; transformers T5Config",
      }),
      layer_norm_epsilon: Type.Number({
        exclusiveMinimum: 0,
        default: 1e-6,
        description: "Added under the root of RMSNorm.",
        "x-source": "transformers T5Config",
      }),
      initializer_factor: Type.Number({
        exclusiveMinimum: 0,
        default: 1,
        description:
          "Factor of the weights' standard deviations, of which each keeps the variance of its input; embeddings have 1.",
        "x-source": "mesh-tensorflow; transformers T5Config",
      }),
      extra_ids: Type.Integer({
        minimum: 0,
        default: 100,
        description:
          "Sentinels `<extra_id_0>`, `<extra_id_1>`, …, put behind the vocabulary for span corruption.",
        "x-unit": "tokens",
        "x-source": "Raffel et al. 2019 §3.1.4; T5Tokenizer",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the weights.",
        "x-source": "alignment-handbook",
      }),
    }),
    output: { kind: "model" },
    metrics: { parameters: "number of weights" },
    check: (p) => [
      ...(p.head_size !== undefined || p.hidden_size % p.heads === 0
        ? []
        : [
            {
              param: "heads",
              kind: "other" as const,
              message: `must divide hidden_size ${p.hidden_size}`,
              help: "or give `head_size`, which is free",
            },
          ]),
      ...(p.relative_attention_max_distance > p.relative_attention_num_buckets / 2
        ? []
        : [
            {
              param: "relative_attention_max_distance",
              kind: "range" as const,
              message: `must be > ${p.relative_attention_num_buckets / 2}, half of relative_attention_num_buckets, which are distances one by one`,
            },
          ]),
    ],
  },
  () => import("./run.ts").then((m) => m.encoderDecoder),
  () => import("./estimate.ts").then((m) => m.estimate),
);
