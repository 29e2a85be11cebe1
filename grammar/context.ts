// What every check looks at: a file, its names, and what each name is bound to, worked out on demand.
import { applyProfile, profilesOf } from "./apply-profile.ts";
import type * as ast from "./ast.ts";
import { type BoundArgument, type BoundNode, bindNode, bindSet } from "./bind.ts";
import { type Family, type Member, membersAt, readFamily } from "./families.ts";
import type { Module } from "./modules.ts";
import { type ParamState, readParam } from "./params.ts";
import { buildScope, isNode, namesOf, type Scope } from "./scope.ts";
import type { Host, Library } from "./signature.ts";
import type { Place, Source, Span } from "./source.ts";
import { touchedNames } from "./touched.ts";
import { any, type Json } from "./types.ts";
import type { ValueScope } from "./values.ts";

export interface Context {
  readonly source: Source;
  readonly module: Module;
  /** The file that is checked, not one that it imports. */
  readonly isRoot: boolean;
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
  /** The node of a dataset, model or stage; a stub while it is being worked out, so that cycles end. None of a family. */
  node(name: string): BoundNode | undefined;
  family(name: string): Family | undefined;
  /** The members of a family that `d[…]` names; undefined where there is no such member. */
  members(name: string, items: ast.Index["items"]): readonly BoundNode[] | undefined;
  /** The datasets of a cluster. */
  cluster(name: string): readonly BoundArgument[];
  /** Names of all clusters, in the order of the file. */
  clusters(): readonly string[];
  /** The datasets of a set expression. */
  set(e: ast.Expression): readonly BoundArgument[];
  /** What a declaration of this name is bound to: one node, or the members of a family. */
  boundTo(name: string): readonly BoundNode[];
  /** The anonymous nodes inside a declared one. */
  inner(node: BoundNode): readonly BoundNode[];
  /** Declared nodes in order, then the anonymous ones inside them. */
  nodes(): readonly BoundNode[];
  /** Those of them that another context has not bound before: what is wrong with the others is said there. */
  own(): readonly BoundNode[];
  /** The context that a name is declared in, and its name there. */
  home(name: string): { readonly context: Context; readonly name: string };
  /** Of another file of the program. */
  contextOf(module: Module): Context;
  place(span: Span): Place;
  /** An id for a pipeline written inside an argument. */
  freshId(wish: string): string;
}

export interface ContextOptions {
  readonly profile?: string | undefined;
  readonly set?: Readonly<Record<string, string>> | undefined;
}

/** What the contexts of one program share. */
interface Shared {
  readonly root: Module;
  readonly signatures: Library;
  readonly options: ContextOptions;
  readonly contexts: Map<Module, Context>;
  readonly ids: Set<string>;
  readonly base?: Context;
}

export function createContext(
  root: Module,
  library: Library,
  options: ContextOptions = {},
  /** The same file under another profile: what no profile touches is taken from there. */
  base?: Context,
): Context {
  // A profile of a file that is imported may touch anything.
  const alone = base && root.imports.size === 0 ? { base } : {};
  return contextOf(root, {
    root,
    signatures: library,
    options,
    contexts: new Map(),
    ids: new Set(),
    ...alone,
  });
}

function contextOf(module: Module, shared: Shared): Context {
  const known = shared.contexts.get(module);
  if (known) return known;
  const made = makeContext(module, shared);
  shared.contexts.set(module, made);
  return made;
}

function makeContext(module: Module, shared: Shared): Context {
  const { source, host } = module;
  const { options } = shared;
  const isRoot = module === shared.root;
  const original = module.parsed.file;
  const chosen = profilesOf(original).find((p) => p.name.text === options.profile);
  const file = chosen ? applyProfile(original, chosen) : original;
  const scope = buildScope(file, module.imports);
  const sets = isRoot ? (options.set ?? {}) : setsFor(module, shared);
  const params = new Map<string, ParamState>();
  const reading = new Set<string>();
  const bound = new Map<string, BoundNode>();
  const families = new Map<string, Family>();
  const clusters = new Map<string, readonly BoundArgument[]>();
  const inner = new Map<string, BoundNode[]>();
  const { base } = shared;
  const touched = base && touchedNames(base.scope, scope);
  let all: readonly BoundNode[] | undefined;
  let own: readonly BoundNode[] | undefined;
  if (isRoot) for (const name of scope.names.keys()) shared.ids.add(name);
  const idOf = identifier(module, shared);

  const keepIn = (id: string) => (node: BoundNode) => {
    const known = inner.get(id);
    if (known) known.push(node);
    else inner.set(id, [node]);
  };
  const bind = (name: string, d: ast.NodeDeclaration, family?: FamilyOf): BoundNode => {
    const known = bound.get(name);
    if (known) return known;
    const id = idOf(name);
    const stub = { id, kind: d.kind, declaration: d, place: context.place(d.span), ...family };
    bound.set(name, { ...stub, calls: [], casts: [], type: any });
    const node = bindNode(d, id, context, keepIn(id));
    const made = family ? { ...node, ...family } : node;
    bound.set(name, made);
    return made;
  };
  const member = (family: Family, m: Member): BoundNode => {
    const values = Object.fromEntries(family.dimensions.map(({ name }, i) => [name, m.keys[i]!]));
    return bind(m.name, m.declaration, { family: { name: idOf(family.declaration.name.text), values } });
  };
  const home = (name: string) => {
    const imported = scope.imported.get(name);
    return imported
      ? { context: contextOf(imported.module, shared), name: imported.declaration.name.text }
      : { context, name };
  };
  /** Of a name that is declared elsewhere, what the other file says. */
  const elsewhere = <T>(name: string, ask: (context: Context, name: string) => T): T | undefined => {
    if (!scope.imported.has(name)) return undefined;
    const at = home(name);
    return ask(at.context, at.name);
  };

  const withInner = (names: readonly string[]): BoundNode[] => {
    const found = names.flatMap((name) => context.boundTo(name));
    for (const node of [...found]) found.push(...context.inner(node));
    for (const name of names) {
      if (scope.names.get(name)?.kind !== "cluster") continue;
      context.cluster(name);
      found.push(...(inner.get(idOf(name)) ?? []));
    }
    return found;
  };

  const context: Context = {
    source,
    module,
    isRoot,
    file,
    original,
    scope,
    signatures: shared.signatures,
    host,
    profile: options.profile,
    sets,
    home,
    contextOf: (other) => contextOf(other, shared),
    place: (span) => ({ path: source.path, span }),
    freshId(wish) {
      let id = wish;
      for (let i = 2; shared.ids.has(id); i++) id = `${wish}_${i}`;
      shared.ids.add(id);
      return id;
    },
    values: {
      source,
      lost: scope.lost,
      params: namesOf(scope, (d) => d.kind === "param"),
      templates: namesOf(scope, (d) => d.kind === "template"),
      declaration: (name) => scope.names.get(name),
      param: (name) => context.param(name)?.evaluated,
      template: (name) =>
        elsewhere(name, (c, n) => c.values.template(n)) ?? templateTexts(scope.names.get(name)),
    },
    param(name) {
      const known = params.get(name) ?? elsewhere(name, (c, n) => c.param(n));
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
      const known = bound.get(name) ?? elsewhere(name, (c, n) => c.node(n));
      const d = scope.names.get(name);
      if (known || !d || !isNode(d) || d.dimensions || scope.imported.has(name)) return known;
      if (touched && !touched.has(name)) return base!.node(name);
      return bind(name, d);
    },
    family(name) {
      const known = families.get(name) ?? elsewhere(name, (c, n) => c.family(n));
      const d = scope.names.get(name);
      if (known || !d || !isNode(d) || !d.dimensions || scope.imported.has(name)) return known;
      if (touched && !touched.has(name)) return base!.family(name);
      families.set(name, { declaration: d, dimensions: [], members: [], problems: [] });
      const family = readFamily(d, context);
      families.set(name, family);
      return family;
    },
    members(name, items) {
      const family = context.family(name);
      const found = family && membersAt(family, items, context);
      const at = home(name);
      if (at.context !== context && found)
        return found.flatMap((m) => at.context.members(at.name, m.keys.map(asItem)) ?? []);
      if (touched && !touched.has(name)) return base!.members(name, items);
      return found?.map((m) => member(family!, m));
    },
    cluster(name) {
      const known = clusters.get(name) ?? elsewhere(name, (c, n) => c.cluster(n));
      const d = scope.names.get(name);
      if (known || d?.kind !== "cluster" || scope.imported.has(name)) return known ?? [];
      if (touched && !touched.has(name)) return base!.cluster(name);
      clusters.set(name, []);
      const members = d.value && !d.broken ? bindSet(d.value, name, context, keepIn(idOf(name))) : [];
      clusters.set(name, members);
      return members;
    },
    clusters: () => namesOf(scope, (d) => d.kind === "cluster"),
    set: (e) => bindSet(e, "set", context, () => {}),
    nodes() {
      if (all) return all;
      const named = file.declarations.flatMap((d) =>
        (isNode(d) || d.kind === "cluster") && scope.names.get(d.name.text) === d ? [d.name.text] : [],
      );
      all = withInner(named);
      return all;
    },
    own() {
      own ??= touched ? withInner([...touched]) : context.nodes();
      return own;
    },
    boundTo(name) {
      const d = scope.names.get(name);
      if (d && isNode(d) && d.dimensions)
        return (
          context.members(
            name,
            d.dimensions.map(() => "*" as const),
          ) ?? []
        );
      return [context.node(name) ?? []].flat();
    },
    inner(node) {
      const known = inner.get(node.id);
      if (known || !base || bound.has(node.declaration?.name.text ?? "")) return known ?? [];
      return base.inner(node);
    },
  };
  return context;
}

type FamilyOf = Pick<BoundNode, "family">;

/** A key as it would be written between brackets. */
function asItem(key: string): ast.Expression {
  const span = { start: 0, end: 0 };
  const value = key.startsWith('"') ? (JSON.parse(key) as string) : key;
  return { kind: "string", value, offsets: [], span };
}

/** Ids of nodes: names of the root as they are, those of other files as the root imports them, else behind the file's name. */
function identifier(module: Module, shared: Shared): (name: string) => string {
  if (module === shared.root) return (name) => name;
  const asImported = new Map(
    [...contextOf(shared.root, shared).scope.imported.values()].flatMap((i) =>
      i.module === module ? [[i.declaration.name.text, i.local.text] as const] : [],
    ),
  );
  const stem = /([^/\\:]+?)(?:\.align)?$/.exec(module.source.path)?.[1] ?? "file";
  const made = new Map<string, string>();
  return (name) => {
    const [family, key = ""] = name.split(/(?=\[)/, 2) as [string, string?];
    const local = asImported.get(family);
    if (local !== undefined) return local + key;
    if (!made.has(family)) {
      let id = `${stem}.${family}`;
      for (let i = 2; shared.ids.has(id); i++) id = `${stem}_${i}.${family}`;
      shared.ids.add(id);
      made.set(family, id);
    }
    return made.get(family)! + key;
  };
}

/** `--set` speaks of the names of the root; a param that it imports is set where it is declared. */
function setsFor(module: Module, shared: Shared): Record<string, string> {
  const { scope, sets } = contextOf(shared.root, shared);
  return Object.fromEntries(
    [...scope.imported].flatMap(([local, i]) =>
      i.module === module && Object.hasOwn(sets, local) ? [[i.declaration.name.text, sets[local]!]] : [],
    ),
  );
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
