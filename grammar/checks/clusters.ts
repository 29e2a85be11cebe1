// Clusters are made of datasets, their neighbours are clusters, and a set that is given to an operation is not empty.
import type { ClusterDeclaration } from "../ast.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { declaredAt, kindOf, namesOf } from "../scope.ts";
import { declaredNeighbours, isSet } from "../sets.ts";
import { didYouMean, listed } from "../suggest.ts";
import { printType } from "../types.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

const parts = ["neighbours"];

export const clusters: Check = (context) => [
  ...context.file.declarations.flatMap((d) =>
    d.kind === "cluster" && !d.broken ? [...members(d, context), ...block(d, context)] : [],
  ),
  ...everyCall(context, (bound) => {
    if (!fitsItsPlace(bound)) return [];
    return bound.inputs.flatMap(({ spec, given, expression }) => {
      if (given.length > 0 || !isSet(expression, context)) return [];
      return [
        diagnose("AL0906", {
          title: `\`${spec.name}\` of \`${bound.signature.name}\` is given nothing`,
          at: context.place(expression.span),
          label: "this set is empty",
          help: ["leave fewer of its members out"],
        }),
      ];
    });
  }),
];

function members(d: ClusterDeclaration, context: Context): Diagnostic[] {
  if (!d.value) {
    return [
      diagnose("AL0010", {
        title: `cluster \`${d.name.text}\` does not say what is in it`,
        at: context.place(d.name.span),
        label: "`= […]` is expected after this",
        help: [`write \`cluster ${d.name.text} = [dataset, dataset]\``],
      }),
    ];
  }
  return context.cluster(d.name.text).flatMap((g): Diagnostic[] => {
    const at = context.place(g.expression.span);
    if (g.unknown) {
      const names = namesOf(context.scope, (_, name) => context.node(name)?.type.kind === "dataset");
      return [
        diagnose("AL0101", {
          title: `\`${g.unknown.text}\` is not declared`,
          at,
          label: "unknown name",
          ...didYouMean(g.unknown.text, names, at, () =>
            names.length > 0 ? `datasets are ${listed(names)}` : undefined,
          ),
        }),
      ];
    }
    if (!g.misplaced && (g.type.kind === "dataset" || g.type.kind === "any")) return [];
    return [
      diagnose("AL0905", {
        title: `cluster \`${d.name.text}\` is made of datasets, this is ${g.misplaced ?? printType(g.type)}`,
        at,
        label: "a dataset is wanted here",
        help: ["name datasets, or other clusters"],
      }),
    ];
  });
}

function block(d: ClusterDeclaration, context: Context): Diagnostic[] {
  const unknown = (d.block?.entries ?? []).flatMap((e) => {
    if (parts.includes(e.name.text) || e.name.text === "") return [];
    const at = context.place(e.name.span);
    return [
      diagnose("AL0104", {
        title: `a cluster has no parameter \`${e.name.text}\``,
        at,
        label: "unknown parameter",
        ...didYouMean(e.name.text, parts, at, () => "a cluster may name its `neighbours`"),
      }),
    ];
  });
  const known = namesOf(context.scope, (x) => x.kind === "cluster").filter((name) => name !== d.name.text);
  const neighbours = declaredNeighbours(d).flatMap((name) => {
    const other = context.scope.names.get(name.text);
    if (other?.kind === "cluster" || (!other && context.scope.lost.has(name.text))) return [];
    const at = context.place(name.span);
    return [
      diagnose(other ? "AL0905" : "AL0101", {
        title: other
          ? `neighbours are clusters, \`${name.text}\` is ${kindOf(other)}`
          : `there is no cluster \`${name.text}\``,
        at,
        label: other ? "a cluster is wanted here" : "unknown cluster",
        related: other ? [[declaredAt(other), `this is ${kindOf(other)}`]] : [],
        ...didYouMean(name.text, known, at, () =>
          known.length > 0 ? `clusters are ${listed(known)}` : "this file declares no other cluster",
        ),
      }),
    ];
  });
  return [...unknown, ...neighbours];
}
