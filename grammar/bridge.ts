// Searches for what turns what is given into what is wanted: operations of the library, or other names for columns.
import type { InputSpec, Library, Signature } from "./signature.ts";
import { nearest } from "./suggest.ts";
import type { Json } from "./types.ts";
import { fits, misfits, type Row, type Type } from "./types.ts";

export interface Bridge {
  readonly signature: Signature;
  readonly gives: Type;
  /** Nothing more has to be given. */
  readonly complete: boolean;
  /** How to write it: `binarize(scored)`, `rows |> prefix()`. */
  call(given: string): string;
}

/** Those that need nothing else first. */
export function bridges(given: Type, wanted: Type, library: Library): Bridge[] {
  if (given.kind === "any" || wanted.kind === "any") return [];
  const found: Bridge[] = [];
  for (const signature of library.values()) {
    if (signature.kind !== "stage" && signature.kind !== "transform") continue;
    const input = signature.inputs.find((i) => specific(i.type) && fits(given, i.type));
    const gives = input && outputFor(signature, input, given);
    if (!input || !gives || gives.kind === "any" || !fits(gives, wanted)) continue;
    const others = signature.inputs.filter((i) => i !== input && !i.optional).map((i) => i.name);
    const params = (signature.params.required ?? []).filter(
      (name) => signature.params.properties[name]?.default === undefined,
    );
    found.push({
      signature,
      gives,
      complete: others.length === 0 && params.length === 0,
      call: (name) => write(signature, input, name, params),
    });
  }
  const cost = (b: Bridge) => b.signature.inputs.filter((i) => !i.optional).length + (b.complete ? 0 : 10);
  return found.sort((a, b) => cost(a) - cost(b) || (a.signature.name < b.signature.name ? -1 : 1));
}

/** An input that takes any rows says nothing about what the operation is for. */
function specific(type: Type): boolean {
  return type.kind === "dataset" ? Object.keys(type.row.columns).length > 0 : type.kind !== "any";
}

function outputFor(signature: Signature, input: InputSpec, given: Type): Type | undefined {
  const params: Record<string, Json> = {};
  for (const [name, schema] of Object.entries(signature.params.properties)) {
    if (schema.default !== undefined) params[name] = schema.default;
  }
  if ((signature.params.required ?? []).some((name) => params[name] === undefined)) return undefined;
  const inputs = Object.fromEntries(signature.inputs.map((i) => [i.name, i === input ? given : i.type]));
  const row: Row | undefined = given.kind === "dataset" ? given.row : undefined;
  const output = signature.output({ inputs, params, ...(row ? { row } : {}) });
  return "kind" in output ? output : undefined;
}

function write(signature: Signature, input: InputSpec, name: string, params: readonly string[]): string {
  const inputs = signature.inputs.filter((i) => !i.optional);
  const named = params.map((p) => `${p}: …`);
  if (signature.kind === "transform") return `${name} |> ${signature.name}(${named.join(", ")})`;
  return `${signature.name}(${[...inputs.map((i) => (i === input ? name : `${i.name}: …`)), ...named].join(", ")})`;
}

/** What the field calls a column, where other data sets say it differently. */
const synonyms: Readonly<Record<string, readonly string[]>> = {
  text: ["content", "body", "document", "passage", "article", "story", "sentence"],
  prompt: ["question", "instruction", "query", "input", "problem", "source", "context", "text"],
  completion: ["answer", "response", "output", "target", "solution", "summary", "reply"],
  chosen: ["preferred", "better", "accepted", "win", "winner"],
  rejected: ["dispreferred", "worse", "lose", "loser"],
  responses: ["completions", "answers", "candidates", "outputs"],
  messages: ["conversations", "conversation", "dialog", "dialogue", "turns"],
  label: ["target", "class", "answer"],
  choices: ["options", "answers"],
};

/** `select(prompt: question)`: which column is probably meant by each that is wanted; `…` where nobody knows. */
export function selection(given: Type, wanted: Type): string | undefined {
  if (given.kind !== "dataset" || wanted.kind !== "dataset") return undefined;
  const missing = misfits(given.row, wanted.row);
  if (missing.length === 0 || missing.some((m) => m.given !== undefined)) return undefined;
  const columns = Object.keys(given.row.columns);
  const named = Object.keys(wanted.row.columns).map((column) => {
    if (columns.includes(column)) return column;
    const same = (synonyms[column] ?? []).find((s) => columns.includes(s));
    return `${column}: ${same ?? nearest(column, columns)[0] ?? (missing.length === 1 ? columns[0] : "…")}`;
  });
  return named.every((n) => n.endsWith("…")) ? undefined : `select(${named.join(", ")})`;
}

/** Operations whose result is of this type whatever they are given. */
export function makersOf(wanted: Type, library: Library): string[] {
  return Array.from(library.values()).flatMap((s) => {
    if ((s.kind !== "model" && s.kind !== "stage") || !s.makes || s.makes.kind === "any") return [];
    return fits(s.makes, wanted) ? [s.name] : [];
  });
}
