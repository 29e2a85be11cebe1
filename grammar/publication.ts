// What `publish` may be told, and its values.
import type { PublishDeclaration } from "./ast.ts";
import { diagnose } from "./codes.ts";
import type { Context } from "./context.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { ParamSchema } from "./signature.ts";
import { didYouMean, listed } from "./suggest.ts";
import type { Json } from "./types.ts";
import { evaluateValue } from "./values.ts";

export const publishParams: Readonly<Record<string, ParamSchema>> = {
  card: { type: "boolean", description: "also write README.md: how it was made, what was measured" },
};

export function publication(
  d: PublishDeclaration,
  context: Context,
): { params: Record<string, Json>; problems: Diagnostic[] } {
  const params: Record<string, Json> = {};
  const problems: Diagnostic[] = [];
  for (const e of d.block?.entries ?? []) {
    const name = e.name.text;
    const schema = Object.hasOwn(publishParams, name) ? publishParams[name] : undefined;
    if (!schema) {
      const at = context.place(e.name.span);
      problems.push(
        diagnose("AL0104", {
          title: `\`publish\` has no parameter \`${name}\``,
          at,
          label: "unknown parameter",
          ...didYouMean(name, Object.keys(publishParams), at, (all) => `parameters are ${listed(all)}`),
        }),
      );
      continue;
    }
    const { value, problems: own } = evaluateValue(e.value, { name, schema }, context.values);
    problems.push(...own);
    if (value !== undefined) params[name] = value;
  }
  return { params, problems };
}
