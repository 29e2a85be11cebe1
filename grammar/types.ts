// The types of the language, whether one fits where another is wanted, and how each is written.

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** The type of one column of a dataset row. */
export type ColumnType = "string" | "number" | "boolean" | "messages" | "list" | "any";

/**
 * The columns of a dataset, structurally. `name` is only how it is printed: a row fits where all the
 * columns wanted are present with fitting types; extra columns are welcome.
 */
export interface Row {
  readonly name?: string;
  readonly columns: Readonly<Record<string, ColumnType>>;
}

export type ScalarName = "string" | "int" | "float" | "bool" | "percent" | "duration" | "bytes" | "path";

export interface ScalarType {
  readonly kind: "scalar";
  readonly name: ScalarName;
  /** As in JSON Schema; percent is a fraction, duration is milliseconds. */
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly oneOf?: readonly Json[];
}

export type Type =
  | ScalarType
  | { readonly kind: "model" }
  | { readonly kind: "tokenizer" }
  | { readonly kind: "judge" }
  /** `row` has the columns that the template's variables read. */
  | { readonly kind: "template"; readonly row: Row }
  | { readonly kind: "dataset"; readonly row: Row }
  | { readonly kind: "metrics"; readonly fields: Readonly<Record<string, string>> }
  | { readonly kind: "list"; readonly of: Type }
  | { readonly kind: "any" };

/** The field's own column schemas (docs/language.md, Rows). */
export const rows = {
  Text: { name: "Text", columns: { text: "string" } },
  Prompt: { name: "Prompt", columns: { prompt: "any" } },
  Instruction: { name: "Instruction", columns: { prompt: "any", completion: "any" } },
  Chat: { name: "Chat", columns: { messages: "messages" } },
  Response: { name: "Response", columns: { prompt: "any", responses: "list" } },
  Preference: { name: "Preference", columns: { prompt: "any", chosen: "any", rejected: "any" } },
  Ranking: { name: "Ranking", columns: { prompt: "any", responses: "list", ranks: "list" } },
  Rated: { name: "Rated", columns: { prompt: "any", responses: "list", scores: "list" } },
  Classification: { name: "Classification", columns: { choices: "list", label: "any" } },
} as const satisfies Record<string, Row>;

export type RowName = keyof typeof rows;

export function dataset(row: Row): Type {
  return { kind: "dataset", row };
}
