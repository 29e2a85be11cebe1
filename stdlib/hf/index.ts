// Declares `hf`: a model or rows from the Hugging Face hub.
import Type from "typebox";
import { defineModel, defineSource } from "../../engine/index.ts";
import { dataset } from "../../grammar/index.ts";
import { columnsParam, only } from "../data/source/index.ts";
import { cachedRows } from "./cached-rows.ts";

const repo = Type.String({
  pattern: "^[A-Za-z0-9_-][A-Za-z0-9_.-]*/[A-Za-z0-9_-][A-Za-z0-9_.-]*$",
  description: "Owner and name: `HuggingFaceTB/SmolLM2-135M`.",
});
const revision = Type.String({
  minLength: 1,
  // No segment begins with a dot: it becomes part of a path in the cache.
  pattern: "^[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$",
  default: "main",
  description:
    "A commit, which names the same bytes for ever; or a branch or tag, which is looked up when it is first downloaded.",
  "x-source": "the hub's own default",
});

export const hf = defineModel(
  {
    name: "hf",
    version: 1,
    doc: "A model from the Hugging Face hub, downloaded once into the shared cache. HF_TOKEN opens gated and private ones.",
    params: Type.Object({ repo, revision }),
    positional: ["repo"],
    output: { kind: "model" },
    metrics: { parameters: "number of weights" },
  },
  () => import("./run.ts").then((m) => m.hf),
  () => import("./estimate.ts").then((m) => m.estimate),
);

export const hfRows = defineSource(
  {
    name: "hf",
    id: "hf_dataset",
    version: 1,
    doc: "Rows of a dataset on the Hugging Face hub: Parquet, JSON Lines, JSON or CSV, downloaded once into the shared cache.",
    params: Type.Object({
      repo,
      split: Type.String({
        pattern: "^[\\w.-]+$",
        default: "train",
        description: "Which part: as the dataset's card says, or as its files are called.",
        "x-source": "`datasets`: what files belong to that say nothing else",
      }),
      config: Type.Optional(
        Type.String({
          minLength: 1,
          description: "Which configuration of the dataset; not needed where there is one, or a default one.",
        }),
      ),
      revision,
      columns: columnsParam,
    }),
    positional: ["repo"],
    output: ({ params, peek }) => {
      const row = peek?.(cachedRows.address(params));
      return row ? only(dataset(row), params.columns as string[] | undefined) : { kind: "any" };
    },
  },
  () => import("./rows.ts").then((m) => m.hfRows),
);
