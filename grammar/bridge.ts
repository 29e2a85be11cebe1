// Searches the library for operations that turn what is given into what is wanted.
import type { InputSpec, Library, Signature } from "./signature.ts";
import type { Json } from "./types.ts";
import { fits, type Row, type Type } from "./types.ts";

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
