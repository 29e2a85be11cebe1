// What may be written at a place. It looks at the words before it, so that it works in the middle of a broken line.
import type { IToken } from "chevrotain";
import { readTokens } from "../parser.ts";
import { choicesOf } from "../schema.ts";
import type { OperationKind, ParamSchema, Signature } from "../signature.ts";
import { kinds } from "../tokens.ts";
import { fits, printType, rows, type Type } from "../types.ts";
import type { Document } from "./document.ts";

export interface Completion {
  readonly label: string;
  readonly kind: "keyword" | "operation" | "name" | "parameter" | "choice" | "row" | "metric";
  readonly detail: string;
}

export function complete(document: Document, offset: number): readonly Completion[] {
  const { text } = document.source;
  const read = readTokens(text);
  const around = (t: IToken) => t.startOffset < offset && offset < t.startOffset + t.image.length;
  const inComment = read.comments.some(
    (c) => c.startOffset < offset && offset <= c.startOffset + c.image.length,
  );
  if (inComment || read.tokens.some((t) => t.image.startsWith('"') && around(t))) return [];
  const before = read.tokens.filter((t) => t.startOffset < offset);
  const last = before.at(-1);
  const prefixed = last && offset <= last.startOffset + last.image.length && /^\w+$/.test(last.image);
  const typed = prefixed ? last.image.slice(0, offset - last.startOffset) : "";
  const words = (prefixed ? before.slice(0, -1) : before).map((t) => t.image);
  const start = offset - typed.length;
  const ownLine = /(^|\n)[^\S\n]*$/.test(text.slice(0, start));
  return candidates(document, words, ownLine).filter((c) =>
    c.label.toLowerCase().startsWith(typed.toLowerCase()),
  );
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
  if (last === "=") return heads(document, words.at(-3) ?? "");
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
  return kind === "model" || kind === "stage" ? operations(document, [kind]) : [];
}

/** Declarations, by what they are; a param or template is `undefined`. */
function named({ context }: Document, wanted: (type: Type | undefined) => boolean): Completion[] {
  return [...context.scope.names.values()].flatMap((d): Completion[] => {
    const type = context.node(d.name.text)?.type;
    const detail = type ? printType(type) : d.kind;
    return wanted(type) ? [{ label: d.name.text, kind: "name", detail }] : [];
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
  const declared = [...document.context.scope.names.values()].filter((d) => d.kind === kind);
  return [
    ...choices.map((label): Completion => ({ label, kind: "choice", detail: name })),
    ...declared.map((d): Completion => ({ label: d.name.text, kind: "name", detail: d.kind })),
  ];
}
