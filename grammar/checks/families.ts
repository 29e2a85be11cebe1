// Families run over values, each dimension is read, and what is asked for by `d[…]` is one of their members.
import * as ast from "../ast.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { type Family, keyOf, memberName } from "../families.ts";
import { declaredAt, isNode } from "../scope.ts";
import { didYouMean, listed } from "../suggest.ts";
import type { Check } from "./check.ts";

export const families: Check = (context) => {
  if (![...context.scope.names.values()].some((d) => isNode(d) && d.dimensions)) return [];
  return context.file.declarations.flatMap((d) => {
    if (d.broken || d.kind === "profile") return [];
    const family = isNode(d) && d.dimensions ? context.family(d.name.text) : undefined;
    const own = family ? [...family.problems, ...unread(family, context)] : [];
    const locals = new Set(family?.dimensions.map(({ name }) => name));
    // Inside a family every member has its own index; those are looked at with the names replaced.
    const bodies: readonly ast.Declaration[] = family ? family.members.map((m) => m.declaration) : [d];
    return [...own, ...bodies.flatMap((body) => indices(body, locals, context))];
  });
};

function unread({ declaration: d, dimensions }: Family, context: Context): Diagnostic[] {
  const read = new Set<string>();
  const inside = [d.value, d.block, ...(d.dimensions ?? []).map((x) => x.values)];
  for (const e of inside) if (e) ast.walk(e, (x) => x.kind === "reference" && read.add(x.name.text));
  return (d.dimensions ?? []).flatMap(({ name }) => {
    if (read.has(name.text) || name.text === "" || dimensions.length === 0) return [];
    return [
      diagnose("AL0904", {
        title: `nothing in \`${d.name.text}\` reads \`${name.text}\``,
        at: context.place(name.span),
        label: "every member is the same",
        help: [`use \`${name.text}\` in the declaration, or make it one ${d.kind}`],
      }),
    ];
  });
}

function indices(d: ast.Declaration, locals: ReadonlySet<string>, context: Context): Diagnostic[] {
  const found: Diagnostic[] = [];
  for (const e of expressionsIn(d)) {
    ast.walk(e, (x) => {
      if (x.kind === "index" && x.object.kind === "reference" && !locals.has(x.object.name.text))
        found.push(...unknownMember(x, x.object.name, context));
    });
  }
  return found;
}

function expressionsIn(d: ast.Declaration): readonly ast.Expression[] {
  switch (d.kind) {
    case "publish":
      return [d.what];
    case "expect":
      return [d.value];
    case "model":
    case "dataset":
    case "mixture":
    case "stage":
    case "cluster":
      return [...(d.value ? [d.value] : []), ...(d.block ? [d.block] : [])];
    default:
      return [];
  }
}

function unknownMember(e: ast.Index, name: ast.Name, context: Context): Diagnostic[] {
  const family = context.family(name.text);
  if (!family || family.dimensions.length === 0 || context.members(name.text, e.items)) return [];
  const d = context.scope.names.get(name.text)!;
  const at = context.place(e.span);
  const related = [[declaredAt(d), `\`${name.text}\` is declared here`]] as const;
  const dimensions = family.dimensions.map((x) => x.name);
  if (e.items.length !== family.dimensions.length) {
    const wanted = dimensions.length === 1 ? "one value" : `${dimensions.length} values`;
    return [
      diagnose("AL0902", {
        title: `a member of \`${name.text}\` is told by ${wanted}, here ${e.items.length === 1 ? "is" : "are"} ${e.items.length}`,
        at,
        label: `\`${memberName(name.text, dimensions)}\` is expected`,
        related,
        help: [`members are ${listed(family.members.map((m) => m.name))}`],
      }),
    ];
  }
  return e.items.flatMap((item, i) => {
    const { values, name: dimension } = family.dimensions[i]!;
    const key = item === "*" ? "*" : keyOf(item, context);
    if (item === "*" || item.kind === "hole" || values.some((v) => v.key === key)) return [];
    const place = context.place(item.span);
    const keys = values.map((v) => v.key);
    const shown = key ?? "this";
    const guess = didYouMean(shown, keys, place, () => `values of \`${dimension}\` are ${listed(keys)}`);
    return [
      diagnose("AL0902", {
        title: `\`${name.text}\` has no member for ${dimension} \`${shown}\``,
        at: place,
        label: "no value of this dimension",
        related,
        ...guess,
      }),
    ];
  });
}
