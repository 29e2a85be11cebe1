// What a parameter's schema says, in the words of the language, and whether a value obeys it.
import type { Bound, TypeExpression } from "./ast.ts";
import type { ParamSchema } from "./signature.ts";
import type { Json, ScalarType } from "./types.ts";

/** Bare words that this parameter takes. */
export function choicesOf(schema: ParamSchema): string[] {
  if (schema["x-align"] === "templates") return ["all", "none"];
  return [
    ...(schema.enum ?? []).filter((v) => typeof v === "string"),
    ...(typeof schema.const === "string" ? [schema.const] : []),
    ...(schema.anyOf ?? []).flatMap(choicesOf),
  ];
}

export function isList(schema: ParamSchema): boolean {
  return schema.type === "array";
}

export function typeOk(value: Json, schema: ParamSchema): boolean {
  if (schema.anyOf && !schema.anyOf.some((s) => typeOk(value, s) && choiceOk(value, s))) return false;
  switch (schema.type) {
    case "number":
      return typeof value === "number";
    case "integer":
      return typeof value === "number" && Number.isInteger(value);
    case "string":
      return typeof value === "string";
    case "boolean":
      return typeof value === "boolean";
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value) && value.every((v) => !schema.items || typeOk(v, schema.items));
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
  }
  return true;
}

export function choiceOk(value: Json, schema: ParamSchema): boolean {
  if (schema.enum && !schema.enum.some((v) => v === value)) return false;
  return schema.const === undefined || schema.const === value;
}

export interface BrokenBound {
  readonly op: ">" | ">=" | "<" | "<=";
  readonly limit: number;
}

/** The first bound that a number breaks; of alternatives, the bound of the last numeric one. */
export function brokenBound(value: Json, schema: ParamSchema): BrokenBound | undefined {
  if (schema.anyOf) {
    const fitting = schema.anyOf.filter((s) => typeOk(value, s) && choiceOk(value, s));
    const broken = fitting.map((s) => brokenBound(value, s));
    return fitting.length === 0 || broken.some((b) => b === undefined) ? undefined : broken.at(-1);
  }
  if (Array.isArray(value)) {
    for (const item of value as readonly Json[]) {
      const broken = schema.items && brokenBound(item, schema.items);
      if (broken) return broken;
    }
    return undefined;
  }
  if (typeof value !== "number") return undefined;
  const { exclusiveMinimum, minimum, exclusiveMaximum, maximum } = schema;
  if (exclusiveMinimum !== undefined && !(value > exclusiveMinimum))
    return { op: ">", limit: exclusiveMinimum };
  if (minimum !== undefined && !(value >= minimum)) return { op: ">=", limit: minimum };
  if (exclusiveMaximum !== undefined && !(value < exclusiveMaximum))
    return { op: "<", limit: exclusiveMaximum };
  if (maximum !== undefined && !(value <= maximum)) return { op: "<=", limit: maximum };
  return undefined;
}

/** `a number > 0`, `cosine or linear`, `a list of texts` */
export function describe(schema: ParamSchema): string {
  switch (schema["x-align"]) {
    case "secret":
      return 'env("NAME")';
    case "setting":
      return 'a text or env("NAME")';
    case "template":
      return "a template";
    case "templates":
      return "`all`, `none`, how many of each dataset, or a list of templates";
    case "expression":
      return "an expression over the row's columns";
    case "path":
      return isList(schema) ? "a list of paths" : "a path";
    case "folder":
      return "the path of a folder";
    case "command":
      return "a command line";
  }
  const choices = choicesOf(schema);
  const others = (schema.anyOf ?? []).filter((s) => s.const === undefined && s.enum === undefined);
  if (choices.length > 0) return [...choices.map((c) => `\`${c}\``), ...others.map(describe)].join(" or ");
  if (schema.anyOf) return schema.anyOf.map(describe).join(" or ");
  const bounds = boundsOf(schema);
  const unit = schema["x-unit"] === "fraction" ? " (a fraction)" : "";
  switch (schema.type) {
    case "number":
      return `a number${bounds}${unit}`;
    case "integer":
      return `a whole number${bounds}`;
    case "string":
      return "a text";
    case "boolean":
      return "true or false";
    case "array":
      return schema.items ? `a list of ${describe(schema.items).replace(/^an? /, "")}s` : "a list";
    case "object":
      return "a block { … }";
  }
  return "a value";
}

function boundsOf(schema: ParamSchema): string {
  const { minimum, maximum } = schema;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  const bounds = [
    ...(schema.exclusiveMinimum === undefined ? [] : [`> ${schema.exclusiveMinimum}`]),
    ...(minimum === undefined ? [] : [`>= ${minimum}`]),
    ...(schema.exclusiveMaximum === undefined ? [] : [`< ${schema.exclusiveMaximum}`]),
    ...(maximum === undefined ? [] : [`<= ${maximum}`]),
  ];
  return bounds.length === 0 ? "" : ` ${bounds.join(" and ")}`;
}

/** The type of a value that is JSON already: `a text`, `a list`. */
export function describeValue(value: Json): string {
  if (typeof value === "number") return Number.isInteger(value) ? "a whole number" : "a number";
  if (typeof value === "string") return "a text";
  if (typeof value === "boolean") return "true or false";
  if (Array.isArray(value)) return "a list";
  return value === null ? "null" : "a block";
}

const scalarSchemas: Readonly<Record<string, ParamSchema>> = {
  float: { type: "number" },
  int: { type: "integer" },
  percent: { type: "number", "x-unit": "fraction" },
  duration: { type: "number", "x-unit": "ms" },
  bytes: { type: "integer", "x-unit": "bytes" },
  string: { type: "string" },
  path: { type: "string", "x-align": "path" },
  bool: { type: "boolean" },
};

export const scalarNames = Object.keys(scalarSchemas);

/** The schema of a param's type; undefined for a type that does not exist. Bounds must be evaluated. */
export function schemaOfType(
  type: TypeExpression,
  boundValue: (bound: Bound, part: "value" | "from" | "to") => Json | undefined,
): { schema: ParamSchema; scalar: ScalarType } | undefined {
  if (type.name.text === "oneof") {
    const choices = type.bounds.flatMap((b) => (b.kind === "choice" ? (boundValue(b, "value") ?? []) : []));
    return { schema: { enum: choices }, scalar: { kind: "scalar", name: "string", oneOf: choices } };
  }
  const base = Object.hasOwn(scalarSchemas, type.name.text) ? scalarSchemas[type.name.text] : undefined;
  if (!base) return undefined;
  const bounds: {
    minimum?: number;
    exclusiveMinimum?: number;
    maximum?: number;
    exclusiveMaximum?: number;
  } = {};
  const keys = {
    ">": "exclusiveMinimum",
    ">=": "minimum",
    "<": "exclusiveMaximum",
    "<=": "maximum",
  } as const;
  for (const b of type.bounds) {
    if (b.kind === "compare") {
      const limit = boundValue(b, "value");
      if (typeof limit === "number") bounds[keys[b.op]] = limit;
    } else if (b.kind === "range") {
      const from = boundValue(b, "from");
      const to = boundValue(b, "to");
      if (typeof from === "number") bounds.minimum = from;
      if (typeof to === "number") bounds.maximum = to;
    }
  }
  return {
    schema: { ...base, ...bounds },
    scalar: { kind: "scalar", name: type.name.text as ScalarType["name"], ...bounds },
  };
}
