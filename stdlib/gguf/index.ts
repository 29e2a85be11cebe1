// Declares `gguf`: a model that is a GGUF file, as llama.cpp runs it.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export const gguf = defineModel(
  {
    name: "gguf",
    version: 1,
    doc: "A model from a GGUF file, quantised or not, with its tokenizer and chat template; its weights become fp32.",
    params: Type.Object({
      path: Type.String({
        "x-align": "path",
        description:
          "A GGUF file of the Llama or Qwen family: F32, F16, BF16, Q8_0, Q4_0/1, Q5_0/1, Q2_K to Q6_K, IQ4_NL, IQ4_XS.",
      }),
    }),
    positional: ["path"],
    output: { kind: "model" },
    metrics: { parameters: "number of weights" },
  },
  () => import("./run.ts").then((m) => m.gguf),
  () => import("./estimate.ts").then((m) => m.estimate),
);
