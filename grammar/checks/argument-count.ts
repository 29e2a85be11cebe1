// An operation is given every input it needs, and no more arguments than it takes.
import { diagnose } from "../codes.ts";
import type { Signature } from "../signature.ts";
import { printType } from "../types.ts";
import { type Check, everyCall, fitsItsPlace } from "./check.ts";

export const argumentCount: Check = (context) =>
  everyCall(context, (bound) => {
    if (!fitsItsPlace(bound)) return [];
    if (bound.missingInputs.length === 0 && bound.extra.length === 0) return [];
    const { call, signature } = bound;
    const shape = shapeOf(signature);
    const missing = bound.missingInputs.map((spec) =>
      diagnose("AL0203", {
        title: `\`${signature.name}\` is not given its ${spec.name}`,
        at: context.place(call.callee.span),
        label: `\`${spec.name}\` is missing: ${printType(spec.type)}`,
        notes: spec.doc ? [`${spec.name}: ${spec.doc}`] : [],
        help: [`write \`${shape}\``],
      }),
    );
    const [extra, ...more] = bound.extra;
    if (!extra) return missing;
    const many = more.length > 0 ? `${more.length + 1} arguments more than` : "one argument more than";
    return [
      ...missing,
      diagnose("AL0204", {
        title: `\`${signature.name}\` is given ${many} it takes`,
        at: context.place(extra.span),
        label: "nothing takes this",
        help: [`write \`${shape}\`; other parameters are given by name`],
      }),
    ];
  });

/** `sft(model, data)`, `rows |> take(count)` */
export function shapeOf(signature: Signature): string {
  const inputs = signature.inputs.filter((i) => !i.optional).map((i) => i.name);
  const piped = signature.kind === "transform" ? (inputs.shift() ?? "rows") : undefined;
  const call = `${signature.name}(${[...inputs, ...signature.positional].join(", ")})`;
  return piped ? `${piped} |> ${call}` : call;
}
