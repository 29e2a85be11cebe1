// Declares the transforms that choose rows by what is in them: split and dedupe.
import Type from "typebox";
import { defineTransform } from "../../../engine/index.ts";
import { anyRows, sameRow } from "../same-row.ts";

export const split = defineTransform(
  {
    name: "split",
    version: 1,
    doc: "One side of a split into training and held-out rows. A row's side depends on the row alone, or on its value of `by`, so equal rows are never on both sides.",
    inputs: [anyRows],
    params: Type.Object({
      part: Type.Enum(["train", "held_out"], { type: "string", description: "Which side." }),
      held_out: Type.Number({
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.1,
        description: "Expected share of the held-out side.",
        "x-unit": "fraction",
        "x-source": "custom of the field",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the split; both sides must name the same.",
        "x-source": "alignment-handbook",
      }),
      by: Type.Optional(
        Type.Unknown({
          "x-align": "expression",
          description:
            "A column, or an expression over columns: rows with one value of it are on one side. The whole row unless given.",
        }),
      ),
    }),
    positional: ["part"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.split),
);

export const dedupe = defineTransform(
  {
    name: "dedupe",
    version: 1,
    doc: "Keeps the first of equal rows: `dedupe()` of equal in every column, `dedupe(text)` in one.",
    inputs: [anyRows],
    params: Type.Object({
      by: Type.Optional(
        Type.Unknown({
          "x-align": "expression",
          description: "A column, or an expression over columns; the whole row unless given.",
        }),
      ),
    }),
    positional: ["by"],
    output: sameRow,
  },
  () => import("./run.ts").then((m) => m.dedupe),
);
