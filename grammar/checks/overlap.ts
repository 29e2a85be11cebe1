// A model is not measured on rows that it was trained on.
import type { BoundNode } from "../bind.ts";
import { diagnose } from "../codes.ts";
import { evaluationUses, modelsIn, modelsOf, rowsOf, trainingUses, type Use } from "../lineage.ts";
import type { Check } from "./check.ts";

export const overlap: Check = (context) => {
  const training = trainingUses(context);
  if (training.length === 0) return [];
  const byRows = grouped(training, (use) => [use.given]);
  const byMadeOf = grouped(training, (use) => [...rowsOf(use.given)]);
  return evaluationUses(context).flatMap((evaluation) => {
    // One is made of the other. Two parts of a third may well be apart.
    const sharing = new Set([
      ...[...rowsOf(evaluation.given)].flatMap((rows) => byRows.get(rows) ?? []),
      ...(byMadeOf.get(evaluation.given) ?? []),
    ]);
    const clash = sharing.size > 0 ? nearestOf(evaluation, sharing) : undefined;
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

function grouped(all: readonly Use[], keys: (use: Use) => readonly BoundNode[]): Map<BoundNode, Use[]> {
  const groups = new Map<BoundNode, Use[]>();
  for (const use of all) {
    for (const key of keys(use)) {
      const group = groups.get(key);
      if (group) group.push(use);
      else groups.set(key, [use]);
    }
  }
  return groups;
}

/** The use that trained the nearest of the models measured, or what the stage itself trains on while it measures. */
function nearestOf(evaluation: Use, sharing: ReadonlySet<Use>): Use | undefined {
  const byStage = grouped([...sharing], (use) => [use.stage]);
  for (const model of modelsIn(evaluation)) {
    for (const ancestor of modelsOf(model)) {
      const use = byStage.get(ancestor)?.[0];
      if (use) return use;
    }
  }
  return byStage.get(evaluation.stage)?.[0];
}

function expressionOf({ call, given }: Use) {
  const all = call.inputs.flatMap((i) => i.given);
  return all.find((g) => g.node === given)!.expression;
}
