// A file as an editor holds it: read once, bound and checked as far as somebody asks, with every place where a name stands.
import * as ast from "../ast.ts";
import type { BoundNode } from "../bind.ts";
import { analyze } from "../check.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { choicesOf } from "../schema.ts";
import { isNamed, isNode, type NamedDeclaration } from "../scope.ts";
import type { Host, Library } from "../signature.ts";
import type { Source, Span } from "../source.ts";

export interface Document {
  readonly source: Source;
  readonly library: Library;
  readonly context: Context;
  readonly diagnostics: readonly Diagnostic[];
  /** In the order of the text. */
  readonly occurrences: readonly Occurrence[];
  /** Those within one declaration outside of profiles. */
  occurrencesOf(declaration: ast.Declaration): readonly Occurrence[];
}

/** A place where the name of a declaration stands. */
export interface Occurrence {
  readonly span: Span;
  readonly target: NamedDeclaration | FamilyVariable;
  /** As it is written here: what is imported may have another name where it is declared. */
  readonly name: string;
  /** Here it is declared. */
  readonly declares: boolean;
}

/** `beta` in `d[beta in [0.1, 1]]`: a name inside its declaration only. */
export interface FamilyVariable {
  readonly kind: "value";
  readonly name: ast.Name;
  readonly path: string;
  readonly doc?: undefined;
  readonly of: ast.NodeDeclaration;
}

export function openDocument(source: Source, library: Library, host: Host): Document {
  const analysis = analyze(source, library, host);
  const { context } = analysis;
  const found = new Map<ast.Declaration, readonly Occurrence[]>();
  const occurrencesOf = (d: ast.Declaration) => {
    const before = found.get(d);
    if (before) return before;
    const own = occurrencesIn(d, context);
    found.set(d, own);
    return own;
  };
  return {
    source,
    library,
    context,
    get diagnostics() {
      return analysis.checked().diagnostics;
    },
    get occurrences() {
      return context.file.declarations.flatMap(occurrencesOf);
    },
    occurrencesOf,
  };
}

export const touches = ({ start, end }: Span, offset: number): boolean => start <= offset && offset <= end;

/** The last declaration outside of profiles that starts before a place. */
export function declarationBefore({ context }: Document, offset: number): ast.Declaration | undefined {
  const { declarations } = context.file;
  let [low, high] = [0, declarations.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (declarations[middle]!.span.start <= offset) low = middle + 1;
    else high = middle;
  }
  return declarations[low - 1];
}

export function occurrenceAt(document: Document, offset: number): Occurrence | undefined {
  const d = declarationBefore(document, offset);
  return d && document.occurrencesOf(d).find((o) => touches(o.span, offset));
}

/** What a declaration is bound to, with the pipelines inside its arguments. */
export function nodesIn(d: ast.Declaration, context: Context): readonly BoundNode[] {
  const nodes = context.scope.names.get(d.name.text) === d ? context.boundTo(d.name.text) : [];
  return nodes.flatMap((node) => [node, ...context.inner(node)]);
}

/** In the order of the text. */
function occurrencesIn(declaration: ast.Declaration, context: Context): Occurrence[] {
  const found = new Map<number, Occurrence>();
  const { names } = context.scope;
  const { path } = context.source;
  const locals = new Map<string, FamilyVariable>();
  const add = (name: ast.Name, declares = false) => {
    const target = locals.get(name.text) ?? names.get(name.text);
    if (target && !found.has(name.span.start))
      found.set(name.span.start, { span: name.span, target, name: name.text, declares });
  };
  const notNames = wordsThatNameNothing(nodesIn(declaration, context));
  const read = (e: ast.Expression) =>
    ast.walk(e, (x) => {
      if (x.kind === "reference" && !notNames.has(x.span.start)) add(x.name);
    });
  const visit = (d: ast.Declaration, inProfile: boolean) => {
    if (isNamed(d)) add(d.name, !inProfile && names.get(d.name.text) === d);
    if (d.kind === "import") for (const one of d.names) add(one.local);
    if (isNode(d)) {
      for (const { values } of d.dimensions ?? []) read(values);
      for (const { name } of d.dimensions ?? []) {
        locals.set(name.text, { kind: "value", name, path, of: d });
        add(name, true);
      }
    }
    if (d.kind === "publish") add(d.name);
    if (d.kind === "template") for (const name of d.rows ?? []) add(name);
    if (d.kind === "param")
      for (const b of d.type?.bounds ?? [])
        for (const e of b.kind === "range" ? [b.from, b.to] : [b.value]) read(e);
    if (d.kind === "profile") for (const o of d.overrides) visit(o, true);
    else for (const e of ast.expressionsOf(d)) read(e);
  };
  visit(declaration, false);
  return [...found.values()].sort((a, b) => a.span.start - b.span.start);
}

/** Where words stand that are choices of a parameter or columns of a row, though a declaration may have the same name. */
function wordsThatNameNothing(nodes: readonly BoundNode[]): Set<number> {
  const found = new Set<number>();
  for (const { written } of nodes.flatMap((n) => n.calls)) {
    for (const { expression, schema } of written) {
      if (!expression) continue;
      const choices = choicesOf(schema) as readonly unknown[];
      const columns = schema["x-align"] === "expression";
      ast.walk(expression, (x) => {
        if (x.kind === "reference" && (columns || choices.includes(x.name.text))) found.add(x.span.start);
      });
    }
  }
  return found;
}
