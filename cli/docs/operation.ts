// The page of one operation, written from its declaration.
import { defaultsOf, type Operation } from "../../engine/index.ts";
import { describeSchema, type ParamSchema, printType, type Type } from "../../grammar/index.ts";
import { shownValue } from "../ui/format.ts";
import { code, paragraphs, section, table } from "./markdown.ts";

export function operationPage(operation: Operation): string {
  const { name, doc, inputs, restInputs, metrics } = operation;
  return paragraphs(
    `# ${name}`,
    doc,
    code(signatureOf(operation)),
    section(
      "## Inputs",
      table(
        ["input", "type", ""],
        [...inputs, ...(restInputs ? [{ ...restInputs, name: "any name" }] : [])].map((input) => [
          nameOf(input.name),
          `${code(printType(input.type))}${input.variadic ? ", one or a list" : ""}${input.optional ? ", optional" : ""}`,
          input.doc,
        ]),
      ),
    ),
    section("## Parameters", parameterTable(operation)),
    section(
      "## Metrics",
      table(
        ["metric", "meaning"],
        Object.entries(metrics).map(([metric, meaning]) => [code(metric), meaning]),
      ),
    ),
    traits(operation),
  );
}

/** `dpo(model: Model, data: Dataset<Preference>, reference?: Model) -> Model` */
export function signatureOf(operation: Operation): string {
  const piped = operation.kind === "transform" ? operation.inputs[0] : undefined;
  const inputs = operation.inputs
    .filter((input) => input !== piped)
    .map(({ name, type, optional, variadic }) => {
      const one = printType(type);
      return `${name}${optional ? "?" : ""}: ${variadic ? `${one} or a list` : one}`;
    });
  const list = operation.params.properties;
  const positional = operation.positional.map((name) => (list[name]?.type === "array" ? `${name}…` : name));
  const anyName = operation.rest || operation.restInputs ? ["name: …"] : [];
  const call = `${operation.name}(${[...inputs, ...positional, ...anyName].join(", ")})`;
  const output = usualOutput(operation);
  return `${piped ? `${printType(piped.type)} |> ` : ""}${call}${output ? ` -> ${output}` : ""}`;
}

/** What comes out of a call with the inputs it must have and nothing else said; undefined where that depends. */
function usualOutput(operation: Operation): string | undefined {
  const required = operation.inputs.filter((input) => !input.optional);
  const inputs = required.map(({ name, type, variadic }): [string, Type] => [
    name,
    variadic ? { kind: "list", of: type } : type,
  ]);
  const missing = operation.params.required?.some((name) => !(name in defaultsOf(operation.params)));
  if (missing || operation.rest) return undefined;
  const output = operation.output({
    inputs: Object.fromEntries(inputs),
    params: defaultsOf(operation.params),
  });
  return "kind" in output && output.kind !== "any" ? printType(output) : undefined;
}

function parameterTable({ params, rest }: Operation): string | undefined {
  const required = new Set(params.required ?? []);
  const rows = Object.entries(params.properties).flatMap(([name, schema]) =>
    parameterRows(name, schema, required.has(name)),
  );
  const any = rest ? parameterRows("any name", rest, false) : [];
  return table(
    ["parameter", "takes", "default", "meaning", "where the default comes from"],
    [...rows, ...any],
  );
}

/** A parameter, and below it the fields of a block. */
function parameterRows(name: string, schema: ParamSchema, required: boolean): string[][] {
  const fields = (schema as { properties?: Record<string, ParamSchema> }).properties ?? {};
  return [
    [
      nameOf(name),
      takes(schema),
      required && schema.default === undefined ? "required" : shownDefault(schema),
      `${schema.description ?? ""}${schema["x-execution"] ? " Not part of the key." : ""}`,
      schema["x-source"] ?? "",
    ],
    ...Object.entries(fields).flatMap(([field, of]) => parameterRows(`${name}.${field}`, of, false)),
  ];
}

function nameOf(name: string): string {
  return name === "any name" ? name : code(name);
}

function takes(schema: ParamSchema): string {
  const unit = schema["x-unit"];
  return `${describeSchema(schema)}${unit && unit !== "fraction" ? `, ${unit}` : ""}`;
}

function shownDefault({ default: value }: ParamSchema): string {
  return value === undefined ? "" : code(shownValue(value));
}

function traits({ numeric, heavy, version }: Operation): string {
  return [
    `Version ${version} of the operation; a new version is a new key.`,
    ...(numeric ? ["Its result depends on the numerics, whose fingerprint is part of the key."] : []),
    ...(heavy ? ["It uses every core and runs alone."] : []),
  ].join(" ");
}
