// Names and what they refer to, in this file or in one that it imports from.
import type {
  ClusterDeclaration,
  Declaration,
  File,
  ImportDeclaration,
  ImportedName,
  Lost,
  Name,
  NodeDeclaration,
  ParamDeclaration,
  TemplateDeclaration,
} from "./ast.ts";
import type { Module } from "./modules.ts";
import type { Place } from "./source.ts";

export type NamedDeclaration = ParamDeclaration | NodeDeclaration | ClusterDeclaration | TemplateDeclaration;

export interface Scope {
  /** By the name that this file has for it. */
  readonly names: ReadonlyMap<string, NamedDeclaration>;
  /** Those of them that are declared elsewhere. */
  readonly imported: ReadonlyMap<string, Imported>;
  /** A name and what has it already. */
  readonly duplicates: readonly (readonly [first: Named, second: Named])[];
  /** Names in text that could not be read, or imported in vain: neither known nor unknown. */
  readonly lost: Lost;
}

export interface Imported {
  readonly local: Name;
  readonly declaration: NamedDeclaration;
  readonly module: Module;
}

export interface Named {
  readonly name: Name;
  readonly what: string;
}

export function isNamed(d: Declaration): d is NamedDeclaration {
  return d.kind === "param" || d.kind === "template" || d.kind === "cluster" || isNode(d);
}

export function isNode(d: Declaration): d is NodeDeclaration {
  return d.kind === "model" || d.kind === "dataset" || d.kind === "mixture" || d.kind === "stage";
}

export function buildScope(file: File, imports: Module["imports"]): Scope {
  const names = new Map<string, NamedDeclaration>();
  const imported = new Map<string, Imported>();
  const firsts = new Map<string, Named>();
  const duplicates: [Named, Named][] = [];
  const inVain = new Set<string>();
  const take = (local: Name, d: NamedDeclaration, what: string): boolean => {
    const first = firsts.get(local.text);
    if (first) duplicates.push([first, { name: local, what }]);
    else {
      firsts.set(local.text, { name: local, what });
      names.set(local.text, d);
    }
    return !first;
  };
  for (const d of file.declarations) {
    if (isNamed(d) && d.name.text !== "") take(d.name, d, kindOf(d));
    if (d.kind !== "import") continue;
    for (const one of d.names) {
      const found = exportedBy(d, one, imports);
      if (!found) inVain.add(one.local.text);
      else if (take(one.local, found.declaration, "an import"))
        imported.set(one.local.text, { local: one.local, ...found });
    }
  }
  const lost = { has: (name: string) => inVain.has(name) || file.lost.has(name) };
  return { names, imported, duplicates, lost };
}

/** What an imported name means in the file that it comes from. */
export function exportedBy(
  d: ImportDeclaration,
  { name }: ImportedName,
  imports: Module["imports"],
): { declaration: NamedDeclaration; module: Module } | undefined {
  const target = [...imports].find(([i]) => i.span.start === d.span.start)?.[1];
  if (!target || !("module" in target)) return undefined;
  const declaration = target.module.parsed.file.declarations.find(
    (x): x is NamedDeclaration => isNamed(x) && x.exported === true && x.name.text === name.text,
  );
  return declaration && { declaration, module: target.module };
}

/** Names of the kinds wanted, for a suggestion. */
export function namesOf(scope: Scope, wanted: (d: NamedDeclaration, name: string) => boolean): string[] {
  return [...scope.names].flatMap(([name, d]) => (wanted(d, name) ? [name] : []));
}

/** `a dataset`, `a param`, for a sentence. */
export function kindOf(d: NamedDeclaration): string {
  return isNode(d) && d.dimensions
    ? `a family of ${d.kind === "stage" ? "stages" : `${d.kind}s`}`
    : `a ${d.kind}`;
}

/** Where the name of a declaration stands, in its own file. */
export function declaredAt(d: NamedDeclaration): Place {
  return { path: d.path, span: d.name.span };
}
