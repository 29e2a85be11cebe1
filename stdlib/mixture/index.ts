// Declares the mixtures: one dataset drawn from several, by their sizes or by weights.
import Type from "typebox";
import { defineMixture } from "../../engine/index.ts";
import {
  type Type as AlignType,
  type CallFacts,
  commonType,
  dataset,
  type Json,
  type TypeProblem,
} from "../../grammar/index.ts";

const data = {
  name: "data",
  type: dataset({ columns: {} }),
  variadic: true,
  doc: "The datasets: a list, a cluster, or a set of them such as `clusters except nli`.",
};

const shared = {
  examples: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        "Rows to draw. Unless given, what counts of every dataset: each below its maximum is gone through once.",
      "x-unit": "rows",
    }),
  ),
  templates: Type.Unknown({
    "x-align": "templates",
    default: "all",
    description:
      "Which of the templates that are written `for` a dataset put its rows into words, one at random for each row drawn: `all`, the first so many, a list, or `none`.",
    "x-source": "Wei et al. 2021 §2.1: a random template for each example",
  }),
  seed: Type.Integer({
    minimum: 0,
    default: 42,
    description: "Of the rows drawn, their templates and their order.",
    "x-source": "alignment-handbook",
  }),
};

const metrics = {
  rows: "rows drawn",
  datasets: "datasets drawn from",
  tasks: "parts that have a rate of their own: datasets, or templates of datasets",
  largest_share: "largest share of a dataset in the rows drawn",
  smallest_share: "smallest share of a dataset in the rows drawn",
  passes: "how often the dataset that was repeated most was gone through",
};

export const proportional = defineMixture(
  {
    name: "proportional",
    version: 1,
    doc: "Draws from datasets in proportion to their sizes: rate = min(rows, rate_maximum)^(1/temperature), as in seqio.",
    inputs: [data],
    params: Type.Object({
      examples_per_dataset: Type.Optional(
        Type.Integer({
          minimum: 1,
          description: "Rows of a dataset at most, a random sample; 30,000 in Wei et al. 2021 §2.1.",
          "x-unit": "rows",
        }),
      ),
      rate_maximum: Type.Optional(
        Type.Integer({
          minimum: 1,
          description:
            "Rows beyond this many give a dataset no further weight; 3,000 in Wei et al. 2021 §2.1. With `per: template` a larger dataset counts as this many divided by its templates; 500,000 in Sanh et al. 2021 §4.",
          "x-unit": "rows",
        }),
      ),
      temperature: Type.Number({
        exclusiveMinimum: 0,
        default: 1,
        description: "1 is proportional to size; the higher, the more equal.",
        "x-source": "seqio, `mixing_rate_num_examples`",
      }),
      per: Type.Enum(["dataset", "template"], {
        type: "string",
        default: "dataset",
        description:
          "What has a rate of its own: each dataset, or each template of each dataset, so that many templates weigh more.",
        "x-source": "dataset: Wei et al. 2021; template: Sanh et al. 2021, t0/seqio_tasks/tasks.py",
      }),
      ...shared,
    }),
    output: mixed,
    metrics,
  },
  () => import("./run.ts").then((m) => m.proportional),
);

export const weighted = defineMixture(
  {
    name: "weighted",
    version: 1,
    doc: "Draws from datasets by weights: `weighted([a, b], weights: [0.7, 0.3])`. Weights are relative; without them all are equal.",
    inputs: [data],
    params: Type.Object({
      weights: Type.Optional(
        Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
          minItems: 1,
          description: "One for each dataset, in their order.",
        }),
      ),
      ...shared,
    }),
    check: ({ weights }) => {
      const count = weights?.find((w) => w >= 1000);
      if (count === undefined) return [];
      const message = `holds ${count}, which looks like a number of rows`;
      const help = "weights are relative, such as 0.7 and 0.3; `proportional` weighs by numbers of rows";
      return [{ param: "weights", kind: "other", message, help }];
    },
    output: (facts) => {
      const weights = facts.params.weights as readonly number[] | undefined;
      const datasets = facts.given?.data?.length;
      if (!weights || datasets === undefined || weights.length === datasets) return mixed(facts);
      return {
        at: "weights",
        message: `${weights.length} weights for ${datasets} datasets`,
        help: "give one weight for each dataset",
      };
    },
    metrics,
  },
  () => import("./run.ts").then((m) => m.weighted),
);

/** Rows in words where datasets have templates, else the columns that all have. */
function mixed({ given, params }: CallFacts): AlignType | TypeProblem {
  const datasets = given?.data ?? [];
  const templates = (params.templates ?? []) as readonly (readonly { readonly target?: Json }[])[];
  if (!Array.isArray(params.templates) || templates.every((of) => of.length === 0))
    return commonType(datasets) ?? { kind: "any" };
  const bare = datasets.findIndex((type, i) => {
    const columns = type.kind === "dataset" ? type.row.columns : {};
    return (
      templates[i]?.length === 0 &&
      type.kind === "dataset" &&
      !("prompt" in columns && "completion" in columns)
    );
  });
  if (bare !== -1) {
    return {
      at: "data",
      message: `dataset ${bare + 1} of the mixture has no template, and no \`prompt\` and \`completion\``,
      help: "write a `template … for` it, or put its rows into words before: `rows |> map(template)`",
    };
  }
  const learnt = templates.flat().every(({ target }) => target !== undefined);
  return learnt
    ? dataset({ name: "Instruction", columns: { prompt: "string", completion: "string" } })
    : dataset({ name: "Prompt", columns: { prompt: "string" } });
}
