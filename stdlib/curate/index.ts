// Declares `curate`: keeps the demonstrations that LIMA would keep, and reports what it left out and why.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  dataset,
  rows,
  type TypeProblem,
} from "../../grammar/index.ts";

export const curate = defineStage(
  {
    name: "curate",
    version: 1,
    doc: "Chooses few good demonstrations out of many, by LIMA's rules (Zhou et al. 2023 §2.1), and reports what was left out and why.",
    inputs: [
      {
        name: "data",
        type: dataset(rows.Instruction),
        doc: "Demonstrations; prompt and completion are texts.",
      },
    ],
    params: Type.Object({
      min_score: Type.Optional(
        Type.Number({ description: "Rows with a lower `score` are left out; 10 in LIMA's Stack Exchange." }),
      ),
      min_length: Type.Optional(
        Type.Integer({
          minimum: 1,
          description: "Shorter completions are left out; 1200 in LIMA's Stack Exchange.",
          "x-unit": "characters",
        }),
      ),
      max_length: Type.Optional(
        Type.Integer({
          minimum: 1,
          description: "Longer completions are left out; 4096 in LIMA's Stack Exchange.",
          "x-unit": "characters",
        }),
      ),
      first_person: Type.Boolean({
        default: false,
        description: "Keep completions that speak of themselves: I, my, me. Code is not looked at.",
        "x-source": "left out in Zhou et al. 2023 §2.1",
      }),
      references: Type.Boolean({
        default: false,
        description:
          "Keep completions that point at other answers: as mentioned, the accepted answer, @name.",
        "x-source": "left out in Zhou et al. 2023 §2.1",
      }),
      strip_html: Type.Boolean({
        default: false,
        description: "Take out links, images and tags, but code blocks and lists; their text stays.",
        "x-source": "off: most data is no HTML; on in Zhou et al. 2023 §2.1",
      }),
      whole_sentences: Type.Boolean({
        default: false,
        description: "Leave out completions that do not end as a sentence, a list or a code block does.",
        "x-source": "off: it is no rule of LIMA's",
      }),
      near_duplicates: Type.Number({
        exclusiveMinimum: 0,
        maximum: 1,
        default: 0.8,
        description:
          "Of rows this alike (Jaccard of five-word pieces, by MinHash) the first stays; 1 leaves out equal ones only.",
        "x-unit": "fraction",
        "x-source": "Lee et al. 2022 (Deduplicating training data makes language models better), App. A",
      }),
      strata: Type.Optional(
        Type.String({
          minLength: 1,
          description: "The column whose values are sampled evenly: `exchange`, `category`.",
        }),
      ),
      sample: Type.Optional(
        Type.Integer({
          minimum: 1,
          description:
            "How many rows to keep: of each stratum those with the highest `score`, or drawn where there is none.",
          "x-unit": "rows",
        }),
      ),
      temperature: Type.Number({
        exclusiveMinimum: 0,
        default: 3,
        description:
          "A stratum of n rows is drawn with probability ∝ n^(1/temperature): 1 as they are, large evens them out.",
        "x-source": "Zhou et al. 2023 §2.1: τ = 3",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Draws strata and rows.",
        "x-source": "alignment-handbook",
      }),
    }),
    check: ({ sample, strata }, given) =>
      sample === undefined && (strata !== undefined || given("temperature"))
        ? [
            {
              param: strata === undefined ? "temperature" : "strata",
              kind: "other",
              message: "has no effect without `sample`",
            },
          ]
        : [],
    output: output,
    metrics: {
      rows: "demonstrations kept",
      dropped: "demonstrations left out",
      dropped_score: "for their score",
      dropped_length: "for their length",
      dropped_first_person: "for speaking of themselves",
      dropped_references: "for pointing at other answers",
      dropped_ending: "for ending in the middle",
      dropped_duplicates: "for being nearly another one",
      dropped_sample: "not drawn",
      mean_length: "mean length of a kept completion, characters",
    },
  },
  () => import("./run.ts").then((m) => m.curate),
);

function output({ row, params }: CallFacts): AlignType | TypeProblem {
  if (!row) return { kind: "any" };
  for (const [column, needed] of [
    ["score", params.min_score !== undefined],
    [String(params.strata), params.strata !== undefined],
  ] as const) {
    if (needed && !Object.hasOwn(row.columns, column)) {
      return {
        at: column === "score" ? "min_score" : "strata",
        message: `the rows have no column \`${column}\``,
        unknown: { name: column, candidates: Object.keys(row.columns) },
      };
    }
  }
  return dataset(row);
}
