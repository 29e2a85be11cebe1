// Rows kept for measuring do not reach training.
import type { BoundNode } from "../bind.ts";
import type { BoundCall, BoundValue } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import { rowsOf, trainingUses } from "../lineage.ts";
import type { Place } from "../source.ts";
import type { Check } from "./check.ts";

/** Names of splits and files that say what they are for. */
const forMeasuring = /(^|[^a-z])(tests?|valid|validation|val|dev|held[_-]?out|evals?|evaluation)([^a-z]|$)/i;

export const heldOut: Check = (context) => {
  const said = new Set<BoundNode>();
  return trainingUses(context).flatMap(({ stage, call, input, given }) => {
    for (const node of rowsOf(given)) {
      const mark = markOf(node, context);
      if (!mark || said.has(node)) continue;
      said.add(node);
      const argument = call.inputs.find((i) => i.spec.name === input)!.given.find((g) => g.node === given)!;
      return [
        diagnose("AL0701", {
          title: `\`${stage.id}\` is trained on rows kept for measuring`,
          at: context.place(argument.expression.span),
          label: node === given ? "these rows train a model" : `these rows come from \`${node.id}\``,
          related: [[mark, "here they are kept for measuring"]],
          notes: ["what is measured on them afterwards says how well they were remembered"],
          help: ["train on the other part of the split, and keep this one for `compare` or `eval`"],
        }),
      ];
    }
    return [];
  });
};

/** Where a dataset says of itself that it is for measuring. */
function markOf(node: BoundNode, context: Context): Place | undefined {
  for (const call of node.calls) {
    const value = call.values.find((v) => v.expression && says(call, v));
    if (value?.expression) return context.place(value.expression.span);
  }
  return undefined;
}

function says(call: BoundCall, { name, schema, evaluated: { value } }: BoundValue): boolean {
  if (name === "part" || name === "split") return typeof value === "string" && forMeasuring.test(value);
  if (call.signature?.kind !== "source") return false;
  const paths = [value].flat().filter((v) => typeof v === "string");
  const isPath = schema["x-align"] === "path" || schema.items?.["x-align"] === "path";
  return isPath && paths.some((path) => forMeasuring.test(path.slice(path.lastIndexOf("/") + 1)));
}
