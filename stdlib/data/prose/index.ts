// Declares the transforms that cut prose: sentences and prefix.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import { dataset, type InputSpec, rows } from "../../../grammar/index.ts";

const texts: InputSpec = { name: "rows", type: dataset(rows.Text), doc: "Rows with a `text`." };

export const sentences = defineTransform(
  {
    name: "sentences",
    version: 1,
    doc: "The English sentences of each text, one per row. Headings and unfinished lines are left out.",
    inputs: [texts],
    params: Type.Object({
      min_words: Type.Integer({
        minimum: 1,
        default: 1,
        description: "Shorter sentences are left out.",
        "x-unit": "words",
        "x-source": "keeps all",
      }),
      max_words: Type.Optional(
        Type.Integer({ minimum: 1, description: "Longer sentences are left out.", "x-unit": "words" }),
      ),
    }),
    check: ({ min_words, max_words }) =>
      max_words !== undefined && max_words < min_words
        ? [{ param: "max_words", kind: "range", message: `must be >= min_words, which is ${min_words}` }]
        : [],
    output: dataset(rows.Text),
  },
  () => import("./sentences.ts").then((m) => m.sentences),
);

export const prefix = defineTransform(
  {
    name: "prefix",
    version: 1,
    doc: "The first words of each text become the `prompt`, the rest the `completion`; together they are the text.",
    inputs: [texts],
    params: Type.Object({
      min_words: Type.Integer({
        minimum: 1,
        default: 2,
        description: "Shortest prompt.",
        "x-unit": "words",
        "x-source": "Rafailov et al. 2023 App. C.1: prefixes of 2 to 8 tokens",
      }),
      max_words: Type.Integer({
        minimum: 1,
        default: 8,
        description: "Longest prompt; at least one word is left for the completion.",
        "x-unit": "words",
        "x-source": "Rafailov et al. 2023 App. C.1: prefixes of 2 to 8 tokens",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the prompt's length, which depends on this and on the text alone.",
        "x-source": "alignment-handbook",
      }),
    }),
    check: ({ min_words, max_words }) =>
      max_words < min_words
        ? [{ param: "max_words", kind: "range", message: `must be >= min_words, which is ${min_words}` }]
        : [],
    output: dataset({ name: "Instruction", columns: { prompt: "string", completion: "string" } }),
  },
  () => import("./prefix.ts").then((m) => m.prefix),
);
