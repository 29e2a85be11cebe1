// Values that are allowed and that nobody uses: most often a slip in an exponent.
import type { Expression } from "../ast.ts";
import type { BoundValue } from "../bind-call.ts";
import { diagnose, replacement } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic, Fix } from "../diagnostic.ts";
import { show } from "../evaluate.ts";
import { textOf } from "../expression.ts";
import type { Place } from "../source.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const unusual: Check = (context) =>
  everyCall(context, (bound) =>
    fitsItsPlace(bound) ? bound.written.flatMap((v) => strange(v, context)) : [],
  );

function strange(
  { name, expression, schema, evaluated: { value } }: BoundValue,
  context: Context,
): Diagnostic[] {
  const usual = schema["x-usual"];
  if (!usual || !expression || typeof value !== "number") return [];
  const [low, high] = usual;
  // 0 turns something off, and is always meant.
  if (value === 0 || (value >= low && value <= high)) return [];
  const at = context.place(expression.span);
  const fixes = slips(expression, low, high, at, context);
  return [
    diagnose("AL0309", {
      title: `\`${name}\` is ${show(value)}, far from what is usual`,
      at,
      label: `usual is ${low} to ${high}`,
      notes: schema.default === undefined ? [] : [`the default is ${show(schema.default)}`],
      help: [
        fixes[0]
          ? `did you mean \`${fixes[0].edits[0]!.text}\`?`
          : "if it is meant, it may stay: this is a warning",
      ],
      fixes,
    }),
  ];
}

/** `2e5` for `2e-5`, and the other way round. */
function slips(e: Expression, low: number, high: number, at: Place, context: Context): Fix[] {
  const [, digits, sign, exponent] = /^([\d._]+)[eE]([+-]?)(\d+)$/.exec(textOf(context.source, e.span)) ?? [];
  if (digits === undefined || e.kind !== "number") return [];
  const meant = `${digits}e${sign === "-" ? "" : "-"}${exponent}`;
  const value = Number(meant.replaceAll("_", ""));
  return value >= low && value <= high ? [replacement(at, meant)] : [];
}
