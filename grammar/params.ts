// Values of params: from --set, else from the profile, else from the file.
import type * as ast from "./ast.ts";
import { diagnose } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { parseValue } from "./parse.ts";
import { choicesOf, describe, scalarNames, schemaOfType } from "./schema.ts";
import type { ParamSchema } from "./signature.ts";
import type { Place, Source } from "./source.ts";
import { didYouMean, listed } from "./suggest.ts";
import type { Json, ScalarType } from "./types.ts";
import { type Evaluated, evaluateValue, type ValueScope } from "./values.ts";

export interface ParamState {
  readonly declaration: ast.ParamDeclaration;
  readonly schema: ParamSchema;
  readonly type?: ScalarType;
  readonly evaluated: Evaluated;
  readonly origin: "file" | "profile" | "set";
}

/** The text of an argument `--set name=value` is a source of its own, so that messages can point into it. */
export function setSource(name: string, value: string): Source {
  const text = `${name}=${value}`;
  return { path: `--set ${text}`, text };
}

export function readParam(d: ast.ParamDeclaration, set: string | undefined, scope: ValueScope): ParamState {
  const typed = d.type ? readType(d.type, scope) : undefined;
  const schema = typed?.schema ?? {};
  const problems: Diagnostic[] = [...(typed?.problems ?? [])];
  const name = d.name.text;
  const origin = set !== undefined ? "set" : d.profile !== undefined ? "profile" : "file";
  const value =
    set !== undefined
      ? setValue(d, set, schema, scope)
      : d.value
        ? fileValue(d, d.value, schema, scope)
        : undefined;
  if (value) problems.push(...value.problems);
  else if (!d.broken) problems.push(unset(d, name, schema, scope));
  const evaluated: Evaluated = {
    ...(value?.value !== undefined && problems.length === 0 ? { value: value.value } : {}),
    problems,
    reads: value?.reads ?? [],
  };
  return { declaration: d, schema, ...(typed?.scalar ? { type: typed.scalar } : {}), evaluated, origin };
}

function fileValue(d: ast.ParamDeclaration, value: ast.Expression, schema: ParamSchema, scope: ValueScope) {
  const place = d.type && value.kind !== "hole" ? { path: scope.source.path, span: d.type.span } : undefined;
  return evaluateValue(value, { name: d.name.text, schema, ...(place ? { place } : {}) }, scope);
}

function setValue(d: ast.ParamDeclaration, set: string, schema: ParamSchema, scope: ValueScope): Evaluated {
  const source = setSource(d.name.text, set);
  const start = d.name.text.length + 1;
  const at: Place = { path: source.path, span: { start, end: source.text.length } };
  const place: Place = { path: scope.source.path, span: d.type?.span ?? d.name.span };
  const wanted = { name: d.name.text, schema, place };
  const takesText = schema.type === "string" || (choicesOf(schema).length > 0 && schema.enum !== undefined);
  if (takesText && !set.startsWith('"')) {
    const offsets = Array.from({ length: set.length + 1 }, (_, i) => start + i);
    return evaluateValue({ kind: "string", value: set, offsets, span: at.span }, wanted, {
      ...scope,
      source,
    });
  }
  const value = parseValue(source, start);
  if (value) return evaluateValue(value, wanted, { ...scope, source });
  const problem = diagnose("AL0301", {
    title: `\`${d.name.text}\` wants ${describe(schema)}, \`${set}\` cannot be read as a value`,
    at,
    label: "this is not a value",
    related: [[place, `${describe(schema)} is wanted`]],
    help: [`write --set ${d.name.text}=VALUE with ${describe(schema)}`],
  });
  return { problems: [problem], reads: [] };
}

function unset(d: ast.ParamDeclaration, name: string, schema: ParamSchema, scope: ValueScope): Diagnostic {
  return diagnose("AL0306", {
    title: `param \`${name}\` has no value`,
    at: { path: scope.source.path, span: d.name.span },
    label: `${describe(schema)} is wanted`,
    help: [`give it a default (\`param ${name}: … = …\`), or run with --set ${name}=VALUE`],
  });
}

function readType(type: ast.TypeExpression, scope: ValueScope) {
  const problems: Diagnostic[] = [];
  const boundValue = (bound: ast.Bound, part: "value" | "from" | "to"): Json | undefined => {
    const e = bound.kind === "range" ? (part === "to" ? bound.to : bound.from) : bound.value;
    const wanted = type.name.text === "oneof" ? {} : { type: "number" };
    const numeric: ParamSchema = e.kind === "number" && e.unit ? {} : wanted;
    const evaluated = evaluateValue(e, { name: `the bound of ${type.name.text}`, schema: numeric }, scope);
    problems.push(...evaluated.problems);
    return evaluated.value;
  };
  const read = schemaOfType(type, boundValue);
  if (read) return { ...read, problems };
  const at: Place = { path: scope.source.path, span: type.name.span };
  const unknown = diagnose("AL0105", {
    title: `there is no type \`${type.name.text}\``,
    at,
    label: "unknown type",
    ...didYouMean(type.name.text, [...scalarNames, "oneof"], at, (all) => `types are ${listed(all)}`),
  });
  return { schema: {} as ParamSchema, scalar: undefined, problems: type.name.text === "" ? [] : [unknown] };
}
