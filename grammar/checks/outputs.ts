// What an operation itself says it cannot make of what it is given.
import { diagnose } from "../codes.ts";
import { didYouMean, listed } from "../suggest.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";
import { missingFiles } from "./files.ts";

export const outputs: Check = (context) =>
  everyCall(context, (bound) => {
    const problem = bound.outputProblem;
    // A file that is not there cannot be looked into either.
    if (!problem || !fitsItsPlace(bound) || missingFiles(bound, context).length > 0) return [];
    const value = bound.values.find((v) => v.name === problem.at);
    const input = bound.inputs.find((i) => i.spec.name === problem.at);
    const at = context.place(
      value?.expression?.span ?? input?.given[0]?.expression.span ?? bound.call.callee.span,
    );
    const { unknown } = problem;
    const guess = unknown
      ? didYouMean(unknown.name, unknown.candidates, at, (all) => `columns are ${listed(all)}`)
      : { help: [], fixes: [] };
    const quoted = value?.expression?.kind === "string";
    return [
      diagnose(unknown ? "AL0108" : "AL0207", {
        title: problem.message,
        at,
        label: unknown ? "unknown column" : `\`${bound.signature.name}\` cannot work with this`,
        help: [...(problem.help ? [problem.help] : []), ...guess.help],
        fixes: quoted
          ? guess.fixes.map((f) => ({
              ...f,
              edits: f.edits.map((e) => ({ ...e, text: JSON.stringify(e.text) })),
            }))
          : guess.fixes,
      }),
    ];
  });
