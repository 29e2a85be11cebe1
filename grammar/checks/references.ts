// Names that stand for declarations are declared.
import type { Name } from "../ast.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { namesOf } from "../scope.ts";
import { didYouMean, listed } from "../suggest.ts";
import { dataset, fits, type Type } from "../types.ts";
import type { Check } from "./check.ts";

export const references: Check = (context) => {
  const found: Diagnostic[] = [];
  for (const node of context.own()) {
    if (node.from?.unknown) found.push(unknown(node.from.unknown, dataset({ columns: {} }), context));
    for (const { inputs } of node.calls)
      for (const { spec, given } of inputs)
        for (const g of given) if (g.unknown) found.push(unknown(g.unknown, spec.type, context));
  }
  return found;
};

function unknown({ text, span }: Name, wanted: Type, context: Context): Diagnostic {
  const at = context.place(span);
  const nodes = namesOf(context.scope, (_, name) => context.node(name) !== undefined);
  const fitting = nodes.filter((name) => fits(context.node(name)!.type, wanted));
  // Names whose type fits are better guesses, but a near name of another type is better than none.
  const first = didYouMean(text, fitting, at);
  const best =
    first.fixes.length > 0
      ? first
      : didYouMean(text, nodes, at, () =>
          fitting.length > 0 ? `declared here and fitting: ${listed(fitting)}` : undefined,
        );
  return diagnose("AL0101", { title: `\`${text}\` is not declared`, at, label: "unknown name", ...best });
}
