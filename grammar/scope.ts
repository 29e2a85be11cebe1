// Names and what they refer to.
import type {
  Declaration,
  File,
  Lost,
  NodeDeclaration,
  ParamDeclaration,
  TemplateDeclaration,
} from "./ast.ts";

export type NamedDeclaration = ParamDeclaration | NodeDeclaration | TemplateDeclaration;

export interface Scope {
  readonly names: ReadonlyMap<string, NamedDeclaration>;
  readonly duplicates: readonly (readonly [first: NamedDeclaration, second: NamedDeclaration])[];
  /** Names in text that could not be read: neither known nor unknown. */
  readonly lost: Lost;
}

export function isNamed(d: Declaration): d is NamedDeclaration {
  return d.kind === "param" || d.kind === "template" || isNode(d);
}

export function isNode(d: Declaration): d is NodeDeclaration {
  return d.kind === "model" || d.kind === "dataset" || d.kind === "stage";
}

export function buildScope(file: File): Scope {
  const names = new Map<string, NamedDeclaration>();
  const duplicates: [NamedDeclaration, NamedDeclaration][] = [];
  for (const d of file.declarations) {
    if (!isNamed(d) || d.name.text === "") continue;
    const first = names.get(d.name.text);
    if (first) duplicates.push([first, d]);
    else names.set(d.name.text, d);
  }
  return { names, duplicates, lost: file.lost };
}

/** Names of the kinds wanted, for a suggestion. */
export function namesOf(scope: Scope, wanted: (d: NamedDeclaration) => boolean): string[] {
  return [...scope.names.values()].filter(wanted).map((d) => d.name.text);
}

/** `a dataset`, `a param`, for a sentence. */
export function kindOf(d: NamedDeclaration): string {
  return `a ${d.kind}`;
}
