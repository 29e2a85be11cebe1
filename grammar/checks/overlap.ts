// A model is not measured on rows that it was trained on.
import type { BoundNode } from "../bind.ts";
import { diagnose } from "../codes.ts";
import { evaluationUses, modelsOf, rowsOf, trainingUses, type Use } from "../lineage.ts";
import type { Check } from "./check.ts";

export const overlap: Check = (context) => {
  const training = new Map<BoundNode, Use[]>();
  for (const use of trainingUses(context)) training.set(use.stage, [...(training.get(use.stage) ?? []), use]);
  return evaluationUses(context).flatMap((evaluation) => {
    const models = new Set(modelsIn(evaluation).flatMap((m) => [...modelsOf(m)]));
    // What the stage itself trains on, when it measures while it trains.
    models.add(evaluation.stage);
    const clash = [...models]
      .flatMap((m) => training.get(m) ?? [])
      .find((t) => same(t.given, evaluation.given));
    if (!clash) return [];
    const at = expressionOf(evaluation);
    return [
      diagnose("AL0702", {
        title: `\`${evaluation.stage.id}\` measures on rows that \`${clash.stage.id}\` was trained on`,
        at: context.place(at.span),
        label: "these rows were seen in training",
        related: [[context.place(expressionOf(clash).span), `\`${clash.stage.id}\` is trained on them here`]],
        notes: ["a score on rows seen in training says how well they were remembered"],
        help: [
          "keep rows apart before training: `split(part: held_out, held_out: 5%)`, and `part: train` for the rest",
        ],
      }),
    ];
  });
};

function modelsIn({ call }: Use): BoundNode[] {
  return call.inputs.flatMap((i) => i.given.flatMap((g) => (g.node?.type.kind === "model" ? [g.node] : [])));
}

/** One is made of the other. Two parts of a third may well be apart. */
function same(a: BoundNode, b: BoundNode): boolean {
  return rowsOf(a).has(b) || rowsOf(b).has(a);
}

function expressionOf({ call, given }: Use) {
  const all = call.inputs.flatMap((i) => i.given);
  return all.find((g) => g.node === given)!.expression;
}
