// `expect` says yes or no, and reads metrics that exist.
import { diagnose } from "../codes.ts";
import { lowerExpectation } from "../expectation.ts";
import { textOf } from "../expression.ts";
import type { Check } from "./check.ts";

export const expectations: Check = (context) =>
  context.file.declarations.flatMap((d) => {
    if (d.kind !== "expect" || d.broken) return [];
    const all = lowerExpectation(d.value, context);
    const problems = all.flatMap((lowered) => lowered.problems);
    const lowered = all[0];
    if (problems.length > 0 || !lowered?.expr) return problems;
    if (lowered.type === "boolean") return [];
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
