// Declares `hf`: a model from the Hugging Face hub.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export const hf = defineModel(
  {
    name: "hf",
    version: 1,
    doc: "A model from the Hugging Face hub, downloaded once into the shared cache. HF_TOKEN opens gated and private ones.",
    params: Type.Object({
      repo: Type.String({
        pattern: "^[A-Za-z0-9_-][A-Za-z0-9_.-]*/[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
        description: "Owner and name: `HuggingFaceTB/SmolLM2-135M`.",
      }),
      revision: Type.String({
        minLength: 1,
        // No segment begins with a dot: it becomes part of a path in the cache.
        pattern: "^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$",
        default: "main",
        description:
          "A commit, which names the same bytes for ever; or a branch or tag, which is looked up when it is first downloaded.",
        "x-source": "the hub's own default",
      }),
    }),
    positional: ["repo"],
    output: { kind: "model" },
    metrics: { parameters: "number of weights" },
  },
  () => import("./run.ts").then((m) => m.hf),
);
