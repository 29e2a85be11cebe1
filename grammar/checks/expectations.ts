// `expect` says yes or no, and reads metrics that exist.
import { type ExpectDeclaration, type Expression, walk } from "../ast.ts";
import { diagnose, replacement } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic, Fix } from "../diagnostic.ts";
import { lowerExpectation } from "../expectation.ts";
import { type Lowered, textOf } from "../expression.ts";
import { alwaysSays, type Meaning, rangeOf } from "../metric-range.ts";
import type { Expr } from "../program.ts";
import type { Check } from "./check.ts";

export const expectations: Check = (context) => {
  const nodes = new Map(context.nodes().map((n) => [n.id, n]));
  const meaning = (node: string, name: string) =>
    nodes.get(node)?.calls.at(-1)?.signature?.metrics[name] ?? "";
  return context.file.declarations.flatMap((d) => {
    if (d.kind !== "expect" || d.broken) return [];
    const all = lowerExpectation(d.value, context);
    const problems = all.flatMap((lowered) => lowered.problems);
    const lowered = all[0];
    if (problems.length > 0 || !lowered?.expr) return problems;
    if (lowered.type === "boolean") return decided(all, d, meaning, context);
    const text = textOf(context.source, d.value.span);
    return [
      diagnose("AL0505", {
        title: `\`${text}\` does not say yes or no`,
        at: context.place(d.value.span),
        label: lowered.type === "any" ? "a comparison is expected here" : `this is a ${lowered.type}`,
        help: [`compare it: \`expect ${text} > 0\``],
      }),
    ];
  });
};

/** What no run could change: true or false by what the metrics mean. */
function decided(
  all: readonly Lowered[],
  d: ExpectDeclaration,
  meaning: Meaning,
  context: Context,
): Diagnostic[] {
  const says = all.map(({ expr }) => (expr ? alwaysSays(expr, meaning) : undefined));
  const at = context.place(d.value.span);
  if (says.includes(false)) {
    const percent = percentMeant(d.value, context);
    return [
      diagnose("AL0506", {
        title: `\`${textOf(context.source, d.value.span)}\` can never hold`,
        at,
        label: "false, whatever is measured",
        notes: bounds(all, meaning),
        help: [
          percent
            ? `write a percentage: \`${percent.edits[0]!.text}\``
            : "compare with a value the metric can have",
        ],
        fixes: percent ? [percent] : [],
      }),
    ];
  }
  if (!says.every((s) => s === true)) return [];
  return [
    diagnose("AL0507", {
      title: `\`${textOf(context.source, d.value.span)}\` always holds`,
      at,
      label: "true, whatever is measured",
      notes: bounds(all, meaning),
      help: ["compare with a value that would disappoint you"],
    }),
  ];
}

/** What its metrics can be, where something is known of them. */
function bounds(all: readonly Lowered[], meaning: Meaning): string[] {
  const found = new Set<string>();
  const visit = (e: Expr): void => {
    if (e.kind === "metric") {
      const { low, high } = rangeOf(e, meaning);
      if (Number.isFinite(low))
        found.add(
          `\`${e.text}\` is ${Number.isFinite(high) ? `between ${low} and ${high}` : "never negative"}: ${meaning(e.node, e.name)}`,
        );
    } else if (e.kind === "binary") {
      visit(e.left);
      visit(e.right);
    } else if (e.kind === "not" || e.kind === "negate") visit(e.operand);
  };
  for (const { expr } of all) if (expr) visit(expr);
  return [...found];
}

/** `win_rate > 55`: a percentage without its sign. */
function percentMeant(e: Expression, context: Context): Fix | undefined {
  let fix: Fix | undefined;
  walk(e, (x) => {
    if (fix || x.kind !== "number" || x.unit !== undefined || x.value <= 1 || x.value > 100) return;
    fix = replacement(context.place(x.span), `${textOf(context.source, x.span)}%`);
  });
  return fix;
}
