// Values fit what their parameters want, first by the language's own rules, then by the operation's.
import type { BoundCall } from "../bind-call.ts";
import { type Code, diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { show } from "../evaluate.ts";
import type { ParamProblem, Signature } from "../signature.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const values: Check = (context) =>
  everyCall(context, (bound) => {
    if (!fitsItsPlace(bound)) return [];
    const own = bound.written.flatMap((v) => v.evaluated.problems);
    const incomplete =
      own.length > 0 ||
      bound.missingParams.length > 0 ||
      bound.unknown.length > 0 ||
      bound.written.some((v) => v.evaluated.value === undefined);
    return incomplete ? own : rejected(bound, bound.signature, context);
  });

const codeOf: Readonly<Record<ParamProblem["kind"], Code>> = {
  unknown: "AL0104",
  missing: "AL0303",
  type: "AL0301",
  range: "AL0302",
  other: "AL0304",
};

function rejected(bound: BoundCall, signature: Signature, context: Context): Diagnostic[] {
  const inputs = bound.inputs.filter(({ given }) => given.length > 0).map(({ spec }) => spec.name);
  const written = new Set([...bound.written.map((v) => v.name), ...inputs]);
  return signature.validate(bound.params, written).map((problem) => {
    const given = bound.values.find((v) => v.name === problem.param);
    const value = given?.evaluated.value;
    const shown = value === undefined ? "" : `, this is ${show(value)}`;
    return diagnose(codeOf[problem.kind], {
      title: `\`${problem.param}\` of \`${signature.name}\` ${problem.message}${problem.kind === "missing" ? "" : shown}`,
      at: context.place(given?.written?.span ?? given?.expression?.span ?? bound.call.callee.span),
      label: given?.expression ? problem.message : `\`${problem.param}\` ${problem.message}`,
      ...(given?.written && given.expression
        ? { related: [[context.place(given.expression.span), `this is ${show(value ?? null)}`] as const] }
        : {}),
      help: [problem.help ?? `change \`${problem.param}\``],
    });
  });
}
