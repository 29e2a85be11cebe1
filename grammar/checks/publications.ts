// `publish` names something that can be written to a folder.
import type { PublishDeclaration } from "../ast.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { wholeFamily } from "../families.ts";
import { publication, publishedNodes } from "../publication.ts";
import { declaredAt, isNode, kindOf, namesOf } from "../scope.ts";
import { didYouMean, listed } from "../suggest.ts";
import { printType } from "../types.ts";
import type { Check } from "./check.ts";

export const publications: Check = (context) => {
  const folders = new Map<string, PublishDeclaration>();
  return context.file.declarations.flatMap((d) => {
    if (d.kind !== "publish" || d.broken) return [];
    const found = [...target(d, context), ...publication(d, context).problems];
    const folder = d.to?.value;
    const first = folder === undefined ? undefined : folders.get(folder);
    if (d.to && first?.to) {
      found.push(
        diagnose("AL0508", {
          title: `two things are published to "${folder}"`,
          at: context.place(d.to.span),
          label: "published here again",
          related: [[context.place(first.to.span), "published here first"]],
          help: ["give each a folder of its own"],
        }),
      );
    } else if (folder !== undefined) folders.set(folder, d);
    return found;
  });
};

function target(d: PublishDeclaration, context: Context): Diagnostic[] {
  const { text, span } = d.name;
  const at = context.place(span);
  const named = context.scope.names.get(text);
  if (!named) {
    if (context.scope.lost.has(text)) return [];
    const names = namesOf(context.scope, isNode);
    return [
      diagnose("AL0101", {
        title: `\`${text}\` is not declared`,
        at,
        label: "unknown name",
        ...didYouMean(text, names, at, () =>
          names.length > 0 ? `declared are ${listed(names)}` : undefined,
        ),
      }),
    ];
  }
  if (d.what.kind === "reference" && context.family(text)) return wholeFamily(d.name, context);
  const nodes = publishedNodes(d, context);
  // An index that names no member is said where indices are.
  if (d.what.kind === "index" && context.family(text) && nodes.length === 0) return [];
  const node = nodes[0];
  const publishable = !node || !["judge", "metrics"].includes(node.type.kind);
  if (node && publishable) return [];
  const what = node ? printType(node.type) : kindOf(named);
  return [
    diagnose("AL0202", {
      title: `models, tokenizers and datasets can be published, \`${text}\` is ${what}`,
      at,
      label: "a model, tokenizer or dataset is wanted here",
      related: [[declaredAt(named), `this is ${what}`]],
      help: ["publish the stage that makes one"],
    }),
  ];
}
