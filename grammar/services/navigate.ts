// From a name to where it is declared, to where it is read, and to another name everywhere.
import type { Declaration } from "../ast.ts";
import type { Edit } from "../diagnostic.ts";
import { edited } from "../fix.ts";
import type { Place, Span } from "../source.ts";
import { joiners, kinds } from "../tokens.ts";
import { type Document, type Occurrence, occurrenceAt, openDocument } from "./document.ts";

/** Maybe in a file that this one imports. */
export function definition(document: Document, offset: number): Place | undefined {
  const target = occurrenceAt(document, offset)?.target;
  return target && { path: target.path, span: target.name.span };
}

/** Every place where the name stands, its declaration included. */
export function references(document: Document, offset: number): readonly Span[] {
  const at = occurrenceAt(document, offset);
  return at ? document.occurrences.filter((o) => sameTarget(o, at)).map((o) => o.span) : [];
}

/** Of a family's variable every occurrence is in one declaration. */
function sameTarget(a: Occurrence, b: Occurrence): boolean {
  if (a.target.kind !== "value" || b.target.kind !== "value") return a.target === b.target;
  return a.target.of === b.target.of && a.name === b.name;
}

/** The edits that give a declaration another name, or why it cannot have it. */
export function rename(
  document: Document,
  offset: number,
  to: string,
): { readonly edits: readonly Edit[] } | { readonly problem: string } {
  const places = references(document, offset);
  if (places.length === 0) return { problem: "there is no name of a declaration here" };
  if (!/^[A-Za-z_]\w*$/.test(to)) return { problem: "a name is made of letters, digits and `_`" };
  if (joiners.split("|").includes(to) || (kinds as readonly string[]).includes(to))
    return { problem: `\`${to}\` is a word of the language` };
  if (document.context.scope.names.has(to)) return { problem: `\`${to}\` is declared already` };
  const { context, library, source } = document;
  const name = occurrenceAt(document, offset)!.name;
  // What is imported keeps its name in the other file.
  const imported = new Set(
    context.file.declarations.flatMap((d) =>
      d.kind === "import" ? d.names.flatMap((n) => (n.local === n.name ? [n.name.span.start] : [])) : [],
    ),
  );
  const edits = places.map((span) => ({
    place: { path: source.path, span },
    text: imported.has(span.start) ? `${name} as ${to}` : to,
  }));
  // Where a parameter has a choice of that name, the name would mean the choice.
  const after = openDocument({ ...source, text: edited(source.text, edits) }, library, context.host);
  const left = after.occurrences.filter((o) => o.name === to).length;
  return left === places.length ? { edits } : { problem: `\`${to}\` means something else where it is read` };
}

export interface Symbol {
  readonly name: string;
  readonly kind: Declaration["kind"];
  readonly span: Span;
  readonly children: readonly Symbol[];
}

/** The outline of a file. */
export function symbols(document: Document): readonly Symbol[] {
  return document.context.file.declarations.map(symbolOf);
}

function symbolOf(d: Declaration): Symbol {
  return {
    name: d.name.text || d.kind,
    kind: d.kind,
    span: d.span,
    children: d.kind === "profile" ? d.overrides.map(symbolOf) : [],
  };
}
