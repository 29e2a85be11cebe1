// Declares the transforms that read rows in the spellings of other projects; `as Instruction`, `as Chat` and `as Preference` apply them.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import { dataset } from "../../../grammar/index.ts";

const none = Type.Object({});

export const fromAlpaca = defineTransform(
  {
    name: "from_alpaca",
    version: 1,
    doc: "Alpaca's `instruction`, `input` and `output` as `prompt` and `completion`: the input follows the instruction after an empty line.",
    inputs: [
      {
        name: "rows",
        type: dataset({ columns: { instruction: "string", output: "string" } }),
        doc: "The rows before the pipe.",
      },
    ],
    params: none,
    reads: "Instruction",
    output: ({ row }) => {
      const { instruction: _, input: __, output: ___, ...others } = row?.columns ?? {};
      return dataset({ name: "Instruction", columns: { ...others, prompt: "string", completion: "string" } });
    },
  },
  () => import("./run.ts").then((m) => m.fromAlpaca),
);

export const fromShareGpt = defineTransform(
  {
    name: "from_sharegpt",
    version: 1,
    doc: "ShareGPT's `conversations` of `from` and `value` as `messages` of `role` and `content`.",
    inputs: [
      {
        name: "rows",
        type: dataset({ columns: { conversations: "list" } }),
        doc: "The rows before the pipe.",
      },
    ],
    params: none,
    reads: "Chat",
    output: ({ row }) => {
      const { conversations: _, ...others } = row?.columns ?? {};
      return dataset({ name: "Chat", columns: { ...others, messages: "messages" } });
    },
  },
  () => import("./run.ts").then((m) => m.fromShareGpt),
);

export const explicitPrompt = defineTransform(
  {
    name: "explicit_prompt",
    version: 1,
    doc: "Preferences without a prompt of their own: what `chosen` and `rejected` begin with in common becomes the `prompt`, up to the last turn that both have.",
    inputs: [
      {
        name: "rows",
        type: dataset({ columns: { chosen: "any", rejected: "any" } }),
        doc: "The rows before the pipe.",
      },
    ],
    params: none,
    reads: "Preference",
    output: ({ row }) => {
      const columns = row?.columns ?? {};
      return dataset({
        name: "Preference",
        columns: {
          ...columns,
          prompt: columns.chosen === "string" ? "string" : "messages",
          chosen: columns.chosen ?? "any",
          rejected: columns.rejected ?? "any",
        },
      });
    },
  },
  () => import("./run.ts").then((m) => m.explicitPrompt),
);
