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
  /** Answers messages, wherever it runs: it can be asked for responses and for verdicts, and not be trained. */
  | { readonly kind: "assistant" }
  /** What gives responses: a Model or an Assistant. */
  | { readonly kind: "responder" }
  /** Scores whole texts, so it fits wherever a judge is wanted. */
  | { readonly kind: "reward_model" }
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

export const any: Type = { kind: "any" };

/** Whether a value of one type may stand where the other is wanted. `any` is what errors leave behind: it always fits. */
export function fits(given: Type, wanted: Type): boolean {
  if (given.kind === "any" || wanted.kind === "any") return true;
  if (given.kind === "list" && wanted.kind === "list") return fits(given.of, wanted.of);
  if (given.kind === "dataset" && wanted.kind === "dataset") return rowFits(given.row, wanted.row);
  if (given.kind === "template" && wanted.kind === "template") return rowFits(wanted.row, given.row);
  if (given.kind === "scalar" && wanted.kind === "scalar") return scalarFits(given.name, wanted.name);
  return given.kind === wanted.kind || (standsFor[given.kind]?.includes(wanted.kind) ?? false);
}

const standsFor: Readonly<Record<string, readonly Type["kind"][]>> = {
  reward_model: ["judge"],
  assistant: ["judge", "responder"],
  model: ["responder"],
};

function scalarFits(given: ScalarName, wanted: ScalarName): boolean {
  const numbers: readonly ScalarName[] = ["int", "float", "percent", "duration", "bytes"];
  if (given === wanted) return true;
  if (wanted === "float" || wanted === "percent") return numbers.includes(given);
  return wanted === "string" && given === "path";
}

export function rowFits(given: Row, wanted: Row): boolean {
  for (const column in wanted.columns) {
    const have = given.columns[column];
    if (have === undefined || !columnFits(have, wanted.columns[column]!)) return false;
  }
  return true;
}

/** Columns wanted that are absent (`given` undefined) or of another type. */
export function misfits(
  given: Row,
  wanted: Row,
): { readonly column: string; readonly wanted: ColumnType; readonly given?: ColumnType }[] {
  return Object.entries(wanted.columns).flatMap(([column, type]) => {
    const have = given.columns[column];
    if (have === undefined) return [{ column, wanted: type }];
    return columnFits(have, type) ? [] : [{ column, wanted: type, given: have }];
  });
}

export function columnFits(given: ColumnType, wanted: ColumnType): boolean {
  if (given === "any" || wanted === "any" || given === wanted) return true;
  return given === "messages" && wanted === "list";
}

/** What all of them are: of datasets, the columns that every one has. Undefined for none. */
export function commonType(types: readonly Type[]): Type | undefined {
  return types.reduce<Type | undefined>((common, type) => {
    if (common?.kind !== "dataset" || type.kind !== "dataset") return common ?? type;
    return dataset(commonRow(common.row, type.row));
  }, undefined);
}

function commonRow(a: Row, b: Row): Row {
  if (a === b) return a;
  const columns: Record<string, ColumnType> = {};
  for (const [name, type] of Object.entries(a.columns))
    if (Object.hasOwn(b.columns, name)) columns[name] = b.columns[name] === type ? type : "any";
  return { ...(a.name !== undefined && a.name === b.name ? { name: a.name } : {}), columns };
}

/** `Dataset<Preference>`, `Dataset<{ prompt, text }>`, `Model`, `float(> 0)` */
export function printType(type: Type): string {
  switch (type.kind) {
    case "scalar":
      return printScalar(type);
    case "model":
      return "Model";
    case "tokenizer":
      return "Tokenizer";
    case "judge":
      return "Judge";
    case "reward_model":
      return "RewardModel";
    case "assistant":
      return "Assistant";
    case "responder":
      return "Model or Assistant";
    case "template":
      return `Template<${printRow(type.row)}>`;
    case "dataset":
      return anything(type.row) ? "Dataset" : `Dataset<${printRow(type.row)}>`;
    case "metrics":
      return "Metrics";
    case "list":
      return `list of ${printType(type.of)}`;
    case "any":
      return "unknown";
  }
}

function anything(row: Row): boolean {
  return row.name === undefined && Object.keys(row.columns).length === 0;
}

export function printRow(row: Row): string {
  if (row.name !== undefined) return row.name;
  const columns = Object.keys(row.columns);
  return columns.length === 0 ? "{}" : `{ ${columns.join(", ")} }`;
}

function printScalar(type: ScalarType): string {
  if (type.oneOf) return type.oneOf.map((choice) => JSON.stringify(choice)).join(" | ");
  const { minimum, maximum } = type;
  if (minimum !== undefined && maximum !== undefined) return `${type.name}(${minimum}..${maximum})`;
  const bounds = [
    ...(type.exclusiveMinimum === undefined ? [] : [`> ${type.exclusiveMinimum}`]),
    ...(minimum === undefined ? [] : [`>= ${minimum}`]),
    ...(type.exclusiveMaximum === undefined ? [] : [`< ${type.exclusiveMaximum}`]),
    ...(maximum === undefined ? [] : [`<= ${maximum}`]),
  ];
  return bounds.length === 0 ? type.name : `${type.name}(${bounds.join(", ")})`;
}
