// Who judges must not be who is judged: a model that marks its own answers likes them (Zheng et al. 2023, §3.3).
import type { BoundArgument, BoundNode } from "../bind.ts";
import type { BoundCall } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { rowsOf, sourcesOf } from "../lineage.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const ownJudge: Check = (context) =>
  everyCall(context, (call) => {
    if (!fitsItsPlace(call) || call.signature.kind !== "stage") return [];
    return call.inputs.flatMap(({ spec, given }) =>
      spec.type.kind === "judge" ? given.flatMap((judge) => judgesItself(judge, call, context)) : [],
    );
  });

function judgesItself(judge: BoundArgument, call: BoundCall, context: Context): Diagnostic[] {
  if (judge.node?.type.kind !== "assistant") return [];
  // An assistant of this machine is the model that it was made of.
  const who = new Set([judge.node, ...sourcesOf(judge.node, "model")]);
  for (const { spec, given } of call.inputs) {
    if (spec.type.kind === "judge") continue;
    for (const { node, expression } of given) {
      const own = node && answerers(node).find((model) => who.has(model));
      if (!own) continue;
      return [
        diagnose("AL0704", {
          title: `\`${call.call.callee.text}\` lets a model judge its own answers`,
          at: context.place(judge.expression.span),
          label: "it judges",
          related: [[context.place(expression.span), own === node ? "itself" : "answers of its own"]],
          notes: ["models prefer what they have said themselves (Zheng et al. 2023, §3.3)"],
          help: ["let another model judge, or leave its answers out"],
        }),
      ];
    }
  }
  return [];
}

/** The model itself; of rows, the models that answered in them. */
function answerers(node: BoundNode): readonly BoundNode[] {
  if (node.type.kind !== "dataset") return [node];
  return [...rowsOf(node)].flatMap(({ calls }) =>
    calls.flatMap((call) =>
      call.inputs.flatMap(({ spec, given }) =>
        spec.name === "models" ? given.flatMap((g) => g.node ?? []) : [],
      ),
    ),
  );
}
