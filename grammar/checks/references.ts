// Names that stand for declarations are declared.
import type { BoundArgument } from "../bind.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { namesOf } from "../scope.ts";
import { didYouMean, listed } from "../suggest.ts";
import { fits, type Type } from "../types.ts";
import type { Check } from "./check.ts";

export const references: Check = (context) =>
  context
    .own()
    .flatMap((node) => [
      ...(node.from ? unknown(node.from, { kind: "dataset", row: { columns: {} } }, context) : []),
      ...node.calls.flatMap((call) =>
        call.inputs.flatMap((input) =>
          input.given.flatMap((given) => unknown(given, input.spec.type, context)),
        ),
      ),
    ]);

function unknown(given: BoundArgument, wanted: Type, context: Context): Diagnostic[] {
  if (!given.unknown) return [];
  const { text, span } = given.unknown;
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
  return [diagnose("AL0101", { title: `\`${text}\` is not declared`, at, label: "unknown name", ...best })];
}
