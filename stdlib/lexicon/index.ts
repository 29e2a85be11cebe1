// Declares the judges that are programs: lexicon counts words, script runs a JavaScript function.
import Type from "typebox";
import { defineModel } from "../../engine/index.ts";

export const lexicon = defineModel(
  {
    name: "lexicon",
    version: 1,
    doc: "A judge that adds up the values of the words of a response, from a published word list.",
    params: Type.Object({
      path: Type.String({
        "x-align": "path",
        description:
          "Words with numbers: a JSON object or list of pairs, two columns of CSV or TSV, or a JavaScript module.",
      }),
      aggregate: Type.Enum(["mean", "sum"], {
        type: "string",
        default: "mean",
        description: "The sum of the values, or that divided by the number of words, with or without value.",
        "x-source": "`comparative` of the npm package sentiment; a sum grows with length",
      }),
      squash: Type.Enum(["none", "sigmoid"], {
        type: "string",
        default: "none",
        description: "sigmoid makes it a score between 0 and 1.",
        "x-source": "only the order of scores matters to preference pairs",
      }),
      scale: Type.Number({
        exclusiveMinimum: 0,
        default: 1,
        description: "Multiplies the aggregate, before it is squashed.",
        "x-source": "off",
      }),
      negation: Type.Boolean({
        default: true,
        description: "`not`, `no`, `never` and words in -n't turn the sign of the next word's value.",
        "x-source": "npm package sentiment",
      }),
    }),
    positional: ["path"],
    output: { kind: "judge" },
    metrics: { words: "entries of the word list" },
  },
  () => import("./run.ts").then((m) => m.lexicon),
);

export const script = defineModel(
  {
    name: "script",
    version: 1,
    doc: "A judge that is a JavaScript file: its default export is `({ prompt, response, row }) => number`.",
    params: Type.Object({
      path: Type.String({
        "x-align": "path",
        description:
          "A self-contained ES module. It may return { score, rationale, aspects } or a promise instead of a number.",
      }),
    }),
    positional: ["path"],
    output: { kind: "judge" },
  },
  () => import("./run.ts").then((m) => m.script),
);
