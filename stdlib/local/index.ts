// Declares `local`: a model that is a folder on this machine.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export const local = defineModel(
  {
    name: "local",
    version: 1,
    doc: "A model in a folder of this machine, as Hugging Face libraries write it: config.json, safetensors, tokenizer.json.",
    params: Type.Object({
      path: Type.String({
        "x-align": "folder",
        description: "The folder, relative to this file. Every file in it is part of the key, with its name.",
      }),
    }),
    positional: ["path"],
    output: { kind: "model" },
    metrics: { parameters: "number of weights" },
  },
  () => import("./run.ts").then((m) => m.local),
  () => import("./estimate.ts").then((m) => m.estimate),
);
