// Params have a type, and a value that fits it.
import { diagnose, insertion } from "../codes.ts";
import type { ParamState } from "../params.ts";
import type { Check } from "./check.ts";

export const params: Check = (context) =>
  context.file.declarations.flatMap((d) => {
    if (d.kind !== "param" || context.scope.names.get(d.name.text) !== d) return [];
    const state = context.param(d.name.text);
    if (!state) return [];
    if (d.type || d.broken) return state.evaluated.problems;
    const at = context.place(d.name.span);
    const type = guess(state);
    return [
      diagnose("AL0307", {
        title: `param \`${d.name.text}\` has no type`,
        at,
        label: "a type is expected after this",
        help: [`write \`param ${d.name.text}: ${type} = …\``],
        fixes: [insertion(at, `: ${type}`)],
      }),
    ];
  });

function guess({ declaration: { value }, evaluated }: ParamState): string {
  if (value?.kind === "number" && value.unit === "%") return "percent";
  if (value?.kind === "number" && value.unit === "ms") return "duration";
  if (value?.kind === "number" && value.unit === "bytes") return "bytes";
  if (typeof evaluated.value === "string") return "string";
  if (typeof evaluated.value === "boolean") return "bool";
  return Number.isInteger(evaluated.value) ? "int" : "float";
}
