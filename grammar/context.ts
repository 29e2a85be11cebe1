// What every check looks at: the file, its names, and what each name is bound to, worked out on demand.
import type * as ast from "./ast.ts";
import { type BoundNode, bindNode } from "./bind.ts";
import { type ParamState, readParam } from "./params.ts";
import { buildScope, isNode, namesOf, type Scope } from "./scope.ts";
import type { Host, Library } from "./signature.ts";
import type { Place, Source, Span } from "./source.ts";
import { touchedNames } from "./touched.ts";
import { any, type Json } from "./types.ts";
import type { ValueScope } from "./values.ts";

export interface Context {
  readonly source: Source;
  /** With the profile applied. */
  readonly file: ast.File;
  /** As written. */
  readonly original: ast.File;
  readonly scope: Scope;
  readonly signatures: Library;
  readonly host: Host;
  readonly profile?: string | undefined;
  readonly sets: Readonly<Record<string, string>>;
  readonly values: ValueScope;
  param(name: string): ParamState | undefined;
  /** The node of a dataset, model or stage; a stub while it is being worked out, so that cycles end. */
  node(name: string): BoundNode | undefined;
  /** The anonymous nodes inside a declared one. */
  inner(name: string): readonly BoundNode[];
  /** Declared nodes in order, then the anonymous ones inside them. */
  nodes(): readonly BoundNode[];
  /** Those of them that another context has not bound before: what is wrong with the others is said there. */
  own(): readonly BoundNode[];
  place(span: Span): Place;
  /** An id for a pipeline written inside an argument. */
  freshId(wish: string): string;
}

export function createContext(
  source: Source,
  file: ast.File,
  original: ast.File,
  library: Library,
  host: Host,
  options: { profile?: string; set?: Readonly<Record<string, string>> },
  /** The same file under another profile: what no profile touches is taken from there. */
  base?: Context,
): Context {
  const scope = buildScope(file);
  const touched = base && touchedNames(base.scope, scope);
  const sets = options.set ?? {};
  const params = new Map<string, ParamState>();
  const reading = new Set<string>();
  const bound = new Map<string, BoundNode>();
  const inner = new Map<string, BoundNode[]>();
  const ids = new Set(scope.names.keys());
  let all: readonly BoundNode[] | undefined;

  const context: Context = {
    source,
    file,
    original,
    scope,
    signatures: library,
    host,
    profile: options.profile,
    sets,
    place: (span) => ({ path: source.path, span }),
    freshId(wish) {
      let id = wish;
      for (let i = 2; ids.has(id); i++) id = `${wish}_${i}`;
      ids.add(id);
      return id;
    },
    values: {
      source,
      lost: scope.lost,
      params: namesOf(scope, (d) => d.kind === "param"),
      templates: namesOf(scope, (d) => d.kind === "template"),
      declaration: (name) => scope.names.get(name),
      param: (name) => context.param(name)?.evaluated,
      template: (name) => templateTexts(scope.names.get(name)),
    },
    param(name) {
      const known = params.get(name);
      const d = scope.names.get(name);
      if (known || d?.kind !== "param") return known;
      if (reading.has(name)) {
        return { declaration: d, schema: {}, evaluated: { problems: [], reads: [] }, origin: "file" };
      }
      reading.add(name);
      const set = Object.hasOwn(sets, name) ? sets[name] : undefined;
      const state = readParam(d, set, context.values);
      reading.delete(name);
      params.set(name, state);
      return state;
    },
    node(name) {
      const known = bound.get(name);
      const d = scope.names.get(name);
      if (known || !d || !isNode(d)) return known;
      if (touched && !touched.has(name)) return base!.node(name);
      bound.set(name, stub(d, context));
      const own: BoundNode[] = [];
      const made = bindNode(d, context, (anonymous) => own.push(anonymous));
      if (own.length > 0) inner.set(name, own);
      bound.set(name, made);
      return made;
    },
    inner(name) {
      context.node(name);
      return inner.get(name) ?? (touched?.has(name) ? [] : (base?.inner(name) ?? []));
    },
    nodes() {
      if (all) return all;
      const declared = file.declarations.flatMap((d) =>
        isNode(d) && scope.names.get(d.name.text) === d ? (context.node(d.name.text) ?? []) : [],
      );
      all = [...declared, ...declared.flatMap((n) => context.inner(n.id))];
      return all;
    },
    own() {
      if (!touched) return context.nodes();
      return [...touched].flatMap((name) => {
        const node = context.node(name);
        return node ? [node, ...context.inner(name)] : [];
      });
    },
  };
  return context;
}

function stub(d: ast.NodeDeclaration, context: Context): BoundNode {
  return {
    id: d.name.text,
    kind: d.kind,
    declaration: d,
    calls: [],
    casts: [],
    type: any,
    place: context.place(d.span),
  };
}

function templateTexts(d: ast.Declaration | undefined): Json | undefined {
  if (d?.kind !== "template") return undefined;
  const texts = d.block.entries.flatMap((e) =>
    e.value.kind === "string" && ["input", "target"].includes(e.name.text)
      ? [[e.name.text, e.value.value] as const]
      : [],
  );
  return texts.some(([part]) => part === "input") ? Object.fromEntries(texts) : undefined;
}
