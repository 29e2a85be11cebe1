// A file as an editor holds it: read, bound and checked once, with every place where a name stands.
import * as ast from "../ast.ts";
import { check } from "../check.ts";
import { type Context, createContext } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { parse } from "../parse.ts";
import { choicesOf } from "../schema.ts";
import { isNamed, type NamedDeclaration } from "../scope.ts";
import type { Host, Library } from "../signature.ts";
import type { Source, Span } from "../source.ts";

export interface Document {
  readonly source: Source;
  readonly library: Library;
  readonly context: Context;
  readonly diagnostics: readonly Diagnostic[];
  /** In the order of the text. */
  readonly occurrences: readonly Occurrence[];
}

/** A place where the name of a declaration stands. */
export interface Occurrence {
  readonly span: Span;
  readonly target: NamedDeclaration;
  /** Here it is declared. */
  readonly declares: boolean;
}

export function openDocument(source: Source, library: Library, host: Host): Document {
  const { file } = parse(source);
  const context = createContext(source, file, file, library, host, {});
  const { diagnostics } = check(source, library, host);
  return { source, library, context, diagnostics, occurrences: occurrencesIn(context) };
}

export const touches = ({ start, end }: Span, offset: number): boolean => start <= offset && offset <= end;

export function occurrenceAt(document: Document, offset: number): Occurrence | undefined {
  return document.occurrences.find((o) => touches(o.span, offset));
}

function occurrencesIn(context: Context): Occurrence[] {
  const found = new Map<number, Occurrence>();
  const { names } = context.scope;
  const add = (name: ast.Name, declares = false) => {
    const target = names.get(name.text);
    if (target && !found.has(name.span.start))
      found.set(name.span.start, { span: name.span, target, declares });
  };
  const notNames = wordsThatNameNothing(context);
  const read = (e: ast.Expression) =>
    ast.walk(e, (x) => {
      if (x.kind === "reference" && !notNames.has(x)) add(x.name);
    });
  const declaration = (d: ast.Declaration, inProfile: boolean) => {
    if (isNamed(d)) add(d.name, !inProfile && names.get(d.name.text) === d);
    if (d.kind === "publish") add(d.name);
    if (d.kind === "template" && d.rows) add(d.rows);
    if (d.kind === "param")
      for (const b of d.type?.bounds ?? [])
        for (const e of b.kind === "range" ? [b.from, b.to] : [b.value]) read(e);
    if (d.kind === "profile") for (const o of d.overrides) declaration(o, true);
    else for (const e of ast.expressionsOf(d)) read(e);
  };
  for (const d of context.file.declarations) declaration(d, false);
  return [...found.values()].sort((a, b) => a.span.start - b.span.start);
}

/** Words that are choices of a parameter or columns of a row, though a declaration may have the same name. */
function wordsThatNameNothing(context: Context): Set<ast.Expression> {
  const found = new Set<ast.Expression>();
  for (const { values } of context.nodes().flatMap((n) => n.calls)) {
    for (const { expression, schema } of values) {
      if (!expression) continue;
      const choices = choicesOf(schema) as readonly unknown[];
      const columns = schema["x-align"] === "expression";
      ast.walk(expression, (x) => {
        if (x.kind === "reference" && (columns || choices.includes(x.name.text))) found.add(x);
      });
    }
  }
  return found;
}
