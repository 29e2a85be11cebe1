// Parameters given by name exist, are given once, and none that is required is missing.
import { type BoundCall, pipeInput } from "../bind-call.ts";
import { diagnose, replacement } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { choicesOf, describe } from "../schema.ts";
import type { Elsewhere, ParamSchema, Signature } from "../signature.ts";
import type { Place } from "../source.ts";
import { didYouMean, listed, oneOf } from "../suggest.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const parameters: Check = (context) =>
  everyCall(context, (bound) =>
    fitsItsPlace(bound)
      ? [
          ...unknown(bound, bound.signature, context),
          ...repeated(bound, context),
          ...missing(bound, bound.signature, context),
        ]
      : [],
  );

function unknown(bound: BoundCall, signature: Signature, context: Context): Diagnostic[] {
  if (bound.unknown.length === 0) return [];
  const given = new Set(bound.written.map((v) => v.name));
  const piped = bound.piped ? pipeInput(signature) : undefined;
  const inputs = signature.inputs.filter((i) => i !== piped).map((i) => i.name);
  const names = [...Object.keys(signature.params.properties), ...inputs];
  return bound.unknown
    .filter(({ name }) => name.text !== "")
    .map(({ name }) => {
      const at = context.place(name.span);
      const free = names.filter((n) => !given.has(n));
      const known = signature.elsewhere?.get(name.text);
      return diagnose("AL0104", {
        title: `\`${signature.name}\` has no parameter \`${name.text}\``,
        at,
        label: "unknown parameter",
        ...(known
          ? calledHere(name.text, known, at, free)
          : didYouMean(name.text, free, at, () =>
              names.length > 0
                ? `parameters are ${listed(names)}`
                : `\`${signature.name}\` takes no parameters`,
            )),
      });
    });
}

/** For who writes the name that another tool has for it. */
function calledHere(name: string, { parameter, tools, but }: Elsewhere, at: Place, free: readonly string[]) {
  const theirs = `\`${name}\` of ${tools.length > 2 ? "other tools" : tools.join(" and ")}`;
  if (but !== undefined) return { help: [`${theirs} is \`${parameter}\` here, ${but}`] };
  return free.includes(parameter)
    ? { help: [`${theirs} is \`${parameter}\` here`], fixes: [replacement(at, parameter)] }
    : { help: [`${theirs} is \`${parameter}\` here, which is given as well; remove one of them`] };
}

function repeated(bound: BoundCall, context: Context): Diagnostic[] {
  return bound.repeated.map(({ name, first }) =>
    diagnose("AL0205", {
      title: `\`${name.text}\` is given twice`,
      at: context.place(name.span),
      label: "given again here",
      related: [[first, "first given here"]],
      help: ["remove one of them"],
    }),
  );
}

function missing(bound: BoundCall, signature: Signature, context: Context): Diagnostic[] {
  // A misspelt name explains a missing one.
  if (bound.unknown.length > 0) return [];
  return bound.missingParams.map((name) => {
    const schema = signature.params.properties[name] ?? {};
    return diagnose("AL0303", {
      title: `\`${signature.name}\` needs \`${name}\``,
      at: context.place(bound.call.callee.span),
      label: `\`${name}\` is missing: ${describe(schema)}`,
      notes: schema.description ? [`${name}: ${schema.description}`] : [],
      help: [`add ${examples(name, schema)}`],
    });
  });
}

/** `part: train` or `part: held_out`, where a few words are all there is. */
function examples(name: string, schema: ParamSchema): string {
  const choices = choicesOf(schema);
  return choices.length > 0 && choices.length <= 3
    ? oneOf(choices.map((choice) => `${name}: ${choice}`))
    : `\`${name}: …\``;
}
