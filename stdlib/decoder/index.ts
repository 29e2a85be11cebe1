// Declares `decoder`: a causal decoder with fresh weights over a tokenizer, Llama-style unless asked otherwise.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export const decoder = defineModel(
  {
    name: "decoder",
    version: 1,
    doc: "A Llama-style causal decoder (RMSNorm, RoPE, grouped-query attention, SwiGLU) with random weights, ready for `pretrain`.",
    inputs: [
      {
        name: "tokenizer",
        type: { kind: "tokenizer" },
        doc: "Gives the vocabulary; travels with the model.",
      },
    ],
    params: Type.Object({
      architecture: Type.Enum(["llama", "mistral", "qwen2", "qwen3", "gpt2", "gpt_neox"], {
        default: "llama",
        description:
          "Family of the model (`model_type`). `gpt2` and `gpt_neox` have layer norms, a plain MLP, and as many key heads as query heads.",
        "x-source": "Align: the family that most open models belong to",
      }),
      layers: Type.Integer({
        "x-rehearse": { most: 1 },
        minimum: 1,
        default: 4,
        description: "Decoder blocks (`num_hidden_layers`).",
        "x-source": "Align: trains in a minute on two cores",
      }),
      hidden_size: Type.Integer({
        "x-rehearse": { always: 32 },
        minimum: 8,
        default: 192,
        description: "Width of the residual stream.",
        "x-source": "Align: trains in a minute on two cores",
      }),
      heads: Type.Integer({
        "x-rehearse": { always: 2 },
        minimum: 1,
        default: 6,
        description: "Query heads (`num_attention_heads`).",
        "x-source": "32 per head at the default width",
      }),
      kv_heads: Type.Optional(
        Type.Integer({
          "x-rehearse": { most: 1 },
          minimum: 1,
          description: "Key and value heads (`num_key_value_heads`); as many as `heads` unless given.",
        }),
      ),
      intermediate_size: Type.Integer({
        "x-rehearse": { most: 64 },
        minimum: 8,
        default: 512,
        description: "Width of the SwiGLU block.",
        "x-source": "8/3 of the width (Shazeer 2020), in multiples of 32",
      }),
      max_length: Type.Integer({
        minimum: 8,
        default: 256,
        description: "Longest sequence (`max_position_embeddings`).",
        "x-unit": "tokens",
        "x-source": "Align: short documents",
      }),
      rope_theta: Type.Number({
        exclusiveMinimum: 0,
        default: 10000,
        description: "Base of the rotary positions.",
        "x-source": "Su et al. 2021; Llama",
      }),
      rms_norm_eps: Type.Number({
        exclusiveMinimum: 0,
        default: 1e-5,
        description: "Added under the root of RMSNorm.",
        "x-source": "Llama 2",
      }),
      tie_embeddings: Type.Boolean({
        default: true,
        description: "One matrix for embeddings and output (`tie_word_embeddings`).",
        "x-source": "SmolLM2; small models",
      }),
      initializer_range: Type.Number({
        exclusiveMinimum: 0,
        default: 0.02,
        description: "Standard deviation of the weights.",
        "x-source": "GPT-2; transformers LlamaConfig",
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
      ...(p.kv_heads !== undefined && p.kv_heads !== p.heads && ["gpt2", "gpt_neox"].includes(p.architecture)
        ? [
            {
              param: "kv_heads",
              kind: "other" as const,
              message: `${p.architecture} has as many as \`heads\``,
            },
          ]
        : []),
      ...(p.architecture === "gpt_neox" && (p.hidden_size / p.heads) % 8 !== 0
        ? [
            {
              param: "heads",
              kind: "other" as const,
              message: "gpt_neox turns a quarter of each head: hidden_size / heads must be a multiple of 8",
            },
          ]
        : []),
      ...(p.hidden_size % p.heads === 0 && (p.hidden_size / p.heads) % 2 === 0
        ? []
        : [
            {
              param: "heads",
              kind: "other" as const,
              message: `must divide hidden_size ${p.hidden_size} into an even number of dimensions per head`,
            },
          ]),
      ...(p.kv_heads === undefined || p.heads % p.kv_heads === 0
        ? []
        : [{ param: "kv_heads", kind: "other" as const, message: `must divide heads ${p.heads}` }]),
    ],
  },
  () => import("./run.ts").then((m) => m.decoder),
  () => import("./estimate.ts").then((m) => m.estimate),
);
