// What `publish` may be told, and its values.
import type { PublishDeclaration } from "./ast.ts";
import type { BoundNode } from "./bind.ts";
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

/** What is written to the folder; the members of a family each to one of its own. */
export function publishedNodes(d: PublishDeclaration, context: Context): readonly BoundNode[] {
  if (d.what.kind === "index") return context.members(d.name.text, d.what.items) ?? [];
  const node = context.node(d.name.text);
  return node ? [node] : [];
}

/** `out/tuned` for one node; `out/tuned/0.1` for each of several members. */
export function folderOf(to: string, node: BoundNode, among: readonly BoundNode[]): string {
  if (among.length === 1) return to;
  const keys = Object.values(node.family?.values ?? {}).map((key) => key.replace(/[^\w.-]+/g, "_"));
  return [to.replace(/\/$/, ""), ...keys].join("/");
}

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
