// Declares `report`: what several stages measured, in one table.
import Type from "typebox";
import { defineStage } from "../../engine/index.ts";
import type { Type as AlignType, CallFacts } from "../../grammar/index.ts";

export const report = defineStage(
  {
    name: "report",
    version: 1,
    doc: 'Joins the metrics of several stages into one table: `report(tuned[*], untuned[*]) { metrics: ["accuracy"] }`.',
    restInputs: {
      type: { kind: "any" },
      variadic: true,
      doc: "A stage, or all of a family; the table calls it by this name.",
    },
    params: Type.Object({
      metrics: Type.Optional(
        Type.Array(Type.String(), {
          minItems: 1,
          description:
            "Which, in this order; all unless given. Only those that are named can be read by `expect`, as `table.tuned_accuracy`.",
        }),
      ),
      confidence: Type.Number({
        exclusiveMinimum: 0,
        exclusiveMaximum: 1,
        default: 0.95,
        description: "Of the intervals of means over a family.",
        "x-unit": "fraction",
        "x-source": "custom of the field",
      }),
      resamples: Type.Integer({
        minimum: 100,
        default: 2000,
        description: "Bootstrap resamples.",
        "x-source": "Efron & Tibshirani 1993: at least 1000 for intervals",
      }),
      seed: Type.Integer({
        minimum: 0,
        default: 42,
        description: "Of the resamples.",
        "x-source": "alignment-handbook",
      }),
    }),
    output,
    named: true,
  },
  () => import("./run.ts").then((m) => m.report),
);

/** The means of every name, and with two names the difference between them. */
function output({ inputs, params }: CallFacts): AlignType {
  const names = Object.keys(inputs);
  const fields = ((params.metrics ?? []) as string[]).flatMap((metric) => [
    ...names.flatMap((name) => withInterval(`${name}_${metric}`, `mean ${metric} of ${name}`)),
    ...(names.length === 2
      ? withInterval(
          `${metric}_difference`,
          `mean ${metric} of ${names[0]} minus that of ${names[1]}, in pairs`,
        )
      : []),
  ]);
  return { kind: "metrics", fields: Object.fromEntries(fields) };
}

function withInterval(name: string, meaning: string): [string, string][] {
  return [
    [name, meaning],
    [`${name}_low`, "lower end of its interval"],
    [`${name}_high`, "upper end of its interval"],
  ];
}
