// Rows kept for measuring do not reach training.
import type { Expression } from "../ast.ts";
import type { BoundNode } from "../bind.ts";
import type { BoundCall, BoundValue } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import { evaluationUses, rowsOf, sourcesOf, trainingUses } from "../lineage.ts";
import type { Place } from "../source.ts";
import type { Check } from "./check.ts";

/** Names of splits and files that say what they are for. */
const forMeasuring = /(^|[^a-z])(tests?|valid|validation|val|dev|held[_-]?out|evals?|evaluation)([^a-z]|$)/i;

export const heldOut: Check = (context) => {
  const said = new Set<BoundNode>();
  const measuring = new Set(evaluationUses(context).flatMap((use) => [...rowsOf(use.given)]));
  return trainingUses(context).flatMap(({ stage, call, input, given }) => {
    for (const node of rowsOf(given)) {
      const mark = markOf(node, context);
      if (!mark || said.has(node)) continue;
      said.add(node);
      const argument = call.inputs.find((i) => i.spec.name === input)!.given.find((g) => g.node === given)!;
      const into = wayInto(node, given, measuring);
      const trains = context.place(argument.expression.span);
      return [
        diagnose("AL0701", {
          title: `\`${stage.id}\` is trained on rows kept for measuring`,
          at: into ? { path: into.owner.place.path, span: into.expression.span } : trains,
          label: into
            ? `here they become rows that \`${stage.id}\` is trained on`
            : "these rows train a model",
          related: [
            [mark, "here they are kept for measuring"],
            ...(into ? [[trains, `\`${stage.id}\` is trained on them here`] as const] : []),
          ],
          notes: ["what is measured on them afterwards says how well they were remembered"],
          help: ["train on the other part of the split, and keep this one for `compare` or `eval`"],
        }),
      ];
    }
    return [];
  });
};

/**
 * Where rows leave those that something is measured on, on their way from `kept` to what trains: the last place at which
 * they were still right. Undefined when they are given to training as they are.
 */
function wayInto(
  kept: BoundNode,
  trained: BoundNode,
  measuring: ReadonlySet<BoundNode>,
): { readonly owner: BoundNode; readonly expression: Expression } | undefined {
  const next = new Map<BoundNode, BoundNode>();
  for (const node of rowsOf(trained))
    for (const source of sourcesOf(node, "dataset")) if (!next.has(source)) next.set(source, node);
  for (let source = kept; source !== trained; ) {
    const owner = next.get(source);
    if (!owner) return undefined;
    if (!measuring.has(owner)) {
      const given = [
        ...(owner.from ? [owner.from] : []),
        ...owner.calls.flatMap((c) => c.inputs.flatMap((i) => i.given)),
      ];
      const expression = given.find((g) => g.node === source)?.expression;
      return expression && { owner, expression };
    }
    source = owner;
  }
  return undefined;
}

/** Where a dataset says of itself that it is for measuring. */
function markOf(node: BoundNode, context: Context): Place | undefined {
  for (const call of node.calls) {
    const value = call.written.find((v) => says(call, v));
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
