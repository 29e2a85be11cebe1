// What may be written at a place. It looks at the words before it, so that it works in the middle of a broken line.
import type { IToken } from "chevrotain";
import type { Family } from "../families.ts";
import { choicesOf } from "../schema.ts";
import type { NamedDeclaration } from "../scope.ts";
import type { OperationKind, ParamSchema, Signature } from "../signature.ts";
import { isOpenText, kinds, lex } from "../tokens.ts";
import { fits, printType, rows, type Type } from "../types.ts";
import { type Document, declarationBefore } from "./document.ts";

export interface Completion {
  readonly label: string;
  readonly kind: "keyword" | "operation" | "name" | "parameter" | "choice" | "row" | "metric";
  readonly detail: string;
}

/**
 * `text` is the file as it reads now, when it has changed since the document was opened: names and types are then those
 * of before, so that nobody waits for an analysis between two keys.
 */
export function complete(
  document: Document,
  offset: number,
  text: string = document.source.text,
): readonly Completion[] {
  const from = declarationBefore(document, Math.min(offset, unchanged(document.source.text, text)));
  const origin = from?.span.start ?? 0;
  const { tokens, comments } = lex(text.slice(origin, offset));
  const length = offset - origin;
  const endsHere = (t: IToken | undefined) => t && t.startOffset + t.image.length === length;
  const last = tokens.at(-1);
  if (endsHere(comments.at(-1)) || (last && isOpenText(last))) return [];
  const typed = last && endsHere(last) && /^\w+$/.test(last.image) ? last.image : "";
  const words = (typed ? tokens.slice(0, -1) : tokens).map((t) => t.image);
  const start = offset - typed.length;
  const ownLine = text.slice(text.lastIndexOf("\n", start - 1) + 1, start).trim() === "";
  return candidates(document, words, ownLine).filter((c) =>
    c.label.toLowerCase().startsWith(typed.toLowerCase()),
  );
}

/** How many characters two texts share at their beginning. */
function unchanged(before: string, now: string): number {
  if (before === now) return now.length;
  let length = 0;
  while (length < before.length && before[length] === now[length]) length++;
  return length;
}

function candidates(document: Document, words: readonly string[], ownLine: boolean): Completion[] {
  const { library } = document;
  const last = words.at(-1);
  const open = openBracket(words);
  if (last === "|>") return operations(document, ["transform"]);
  if (last === "as") return Object.keys(rows).map((label) => ({ label, kind: "row", detail: "row" }));
  if (last === ".") return metrics(document, words.at(-2) ?? "");
  if (open === undefined && ownLine)
    return kinds.map((label) => ({ label, kind: "keyword", detail: "declaration" }));
  if (last === "=") return heads(document, kindBefore(words));
  if (open !== undefined && words[open - 1] === "import") return exported(document, words);
  const family =
    open !== undefined && words[open] === "[" ? document.context.family(words[open - 1] ?? "") : undefined;
  if (family) return members(family, words.slice(open! + 1).filter((word) => word === ",").length);
  if (words[0] === "template" && open === undefined && (last === "for" || last === ","))
    return named(document, (t, d) => t?.kind === "dataset" || d.kind === "cluster");
  if (last === "publish" || last === "expect") return named(document, (t) => t !== undefined);
  if (open === undefined) return [];
  const callee = library.get(calleeOf(words, open));
  if (last === ":") return callee ? valuesOf(document, callee, words.at(-2) ?? "") : [];
  if (!callee || !(ownLine || last === "," || last === words[open])) return [];
  const given = words.slice(open).filter((_, i) => words[open + i + 1] === ":");
  const params = Object.entries(callee.params.properties)
    .filter(([name]) => !given.includes(name))
    .map(([label, schema]): Completion => ({ label, kind: "parameter", detail: schema.description ?? "" }));
  if (words[open] === "{") return params;
  const wanted = callee.inputs.map((i) => i.type);
  return [...named(document, (t) => t !== undefined && wanted.some((w) => fits(t, w))), ...params];
}

/** Of `stage x =`, also behind what a family runs over. */
function kindBefore(words: readonly string[]): string {
  if (words.at(-2) !== "]") return words.at(-3) ?? "";
  const open = openBracket(words.slice(0, -2));
  return open === undefined ? "" : (words[open - 2] ?? "");
}

/** What the files that this one imports export, and it does not name yet. */
function exported({ context }: Document, words: readonly string[]): Completion[] {
  const found = [...context.module.imports.values()].flatMap((target) =>
    "module" in target ? target.module.parsed.file.declarations.filter((d) => d.exported) : [],
  );
  return found
    .filter((d) => !words.includes(d.name.text))
    .map((d) => ({ label: d.name.text, kind: "name", detail: d.kind }));
}

/** The values of one dimension, and `*` for all of them. */
function members({ dimensions }: Family, at: number): Completion[] {
  const keys = dimensions[at]?.values.map(({ key }) => key) ?? [];
  return [...keys, "*"].map((label) => ({ label, kind: "choice", detail: dimensions[at]?.name ?? "" }));
}

/** The bracket that is still open. */
function openBracket(words: readonly string[]): number | undefined {
  let depth = 0;
  for (let i = words.length - 1; i >= 0; i--) {
    if (/^[)\]}]$/.test(words[i]!)) depth++;
    else if (/^[([{]$/.test(words[i]!) && depth-- === 0) return i;
  }
  return undefined;
}

/** Whose arguments or block it is: `f(`, `f(…) {`. */
function calleeOf(words: readonly string[], open: number): string {
  if (words[open] === "(") return words[open - 1] ?? "";
  if (words[open - 1] !== ")") return "";
  const start = openBracket(words.slice(0, open - 1));
  return start === undefined ? "" : (words[start - 1] ?? "");
}

function operations({ library }: Document, wanted: readonly OperationKind[]): Completion[] {
  return Array.from(library.values())
    .filter((s) => wanted.includes(s.kind))
    .map((s) => ({ label: s.name, kind: "operation", detail: s.doc }));
}

function heads(document: Document, kind: string): Completion[] {
  if (kind === "dataset")
    return [...operations(document, ["source"]), ...named(document, (t) => t?.kind === "dataset")];
  if (kind === "cluster") return named(document, (t) => t?.kind === "dataset");
  return kind === "model" || kind === "mixture" || kind === "stage" ? operations(document, [kind]) : [];
}

/** Declarations, by what they are; a param or template is `undefined`. */
function named(
  { context }: Document,
  wanted: (type: Type | undefined, d: NamedDeclaration) => boolean,
): Completion[] {
  return [...context.scope.names].flatMap(([label, d]): Completion[] => {
    const type = context.node(label)?.type;
    const detail = type ? printType(type) : d.kind;
    return wanted(type, d) ? [{ label, kind: "name", detail }] : [];
  });
}

function metrics({ context }: Document, name: string): Completion[] {
  const known = context.node(name)?.calls.at(-1)?.signature?.metrics ?? {};
  return Object.entries(known).map(([label, detail]) => ({ label, kind: "metric", detail }));
}

function valuesOf(document: Document, callee: Signature, name: string): Completion[] {
  const input = callee.inputs.find((i) => i.name === name);
  if (input) return named(document, (t) => t !== undefined && fits(t, input.type));
  const schema: ParamSchema = callee.params.properties[name] ?? {};
  const choices = schema.type === "boolean" ? ["true", "false"] : choicesOf(schema).map(String);
  const kind = schema["x-align"] === "template" ? "template" : "param";
  const declared = [...document.context.scope.names].filter(([, d]) => d.kind === kind);
  return [
    ...choices.map((label): Completion => ({ label, kind: "choice", detail: name })),
    ...declared.map(([label, d]): Completion => ({ label, kind: "name", detail: d.kind })),
  ];
}
