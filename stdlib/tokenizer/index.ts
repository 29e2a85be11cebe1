// Declares `tokenizer`: trains a byte-level BPE vocabulary.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import { dataset, rows } from "../../grammar/index.ts";

export const tokenizer = defineStage(
  {
    name: "tokenizer",
    version: 1,
    doc: "Trains a byte-level BPE tokenizer on texts. It can spell any text and is written as Hugging Face's tokenizer.json.",
    inputs: [{ name: "data", type: dataset(rows.Text), doc: "Texts to count words in." }],
    params: Type.Object({
      vocab_size: Type.Integer({
        "x-rehearse": { most: 512 },
        minimum: 257,
        default: 32_000,
        description:
          "Tokens in all: the special ones, the 256 bytes and the merges. Fewer where the text runs out.",
        "x-unit": "tokens",
        "x-source": "Llama and Mistral",
      }),
      min_frequency: Type.Integer({
        minimum: 1,
        default: 2,
        description: "Pairs seen less often are not merged.",
        "x-source": "ByteLevelBPETokenizer of HF tokenizers",
      }),
      end_of_text: Type.String({
        minLength: 1,
        default: "<|endoftext|>",
        description: "Ends a response; also starts and pads texts.",
        "x-source": "GPT-2",
      }),
      special_tokens: Type.Array(Type.String({ minLength: 1 }), {
        default: [],
        description: "More tokens that are never split, such as those of a chat template.",
        "x-source": "none",
      }),
      chat_template: Type.Optional(
        Type.Unknown({
          "x-align": "template",
          "x-row": "Chat",
          description:
            "Jinja over `messages`, kept with the tokenizer; every model made with it speaks this way.",
        }),
      ),
    }),
    check: ({ vocab_size, special_tokens }) =>
      vocab_size < 257 + special_tokens.length
        ? [
            {
              param: "vocab_size",
              kind: "range",
              message: `must be >= ${257 + special_tokens.length}: 256 bytes and ${1 + special_tokens.length} special tokens`,
            },
          ]
        : [],
    output: { kind: "tokenizer" },
    metrics: {
      vocab_size: "tokens",
      merges: "merges found",
      words: "distinct words of the text",
      bytes_per_token: "how far the training text is compressed: UTF-8 bytes per token",
    },
  },
  () => import("./run.ts").then((m) => m.tokenizer),
  async () =>
    ({ params }) => ({ facts: { vocab_size: params.vocab_size } }),
);
