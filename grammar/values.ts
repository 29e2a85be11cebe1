// Values of parameters: an expression and the schema that wants it → JSON, or what is wrong with it.
import type * as ast from "./ast.ts";
import { diagnose, replacement } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { evaluate, explain, show } from "./evaluate.ts";
import { type Lowered, literal, lowerExpression, type Meaning, nothing, textOf } from "./expression.ts";
import type { Expr } from "./program.ts";
import { brokenBound, choiceOk, choicesOf, describe, describeValue, isList, typeOk } from "./schema.ts";
import { declaredAt, kindOf, type NamedDeclaration } from "./scope.ts";
import type { ParamSchema } from "./signature.ts";
import type { Place, Source } from "./source.ts";
import { didYouMean, listed, oneOf } from "./suggest.ts";
import type { ColumnType, Json, Row } from "./types.ts";

export interface Evaluated {
  /** Absent when it has none, which `problems` says, or which is said elsewhere. */
  readonly value?: Json;
  readonly problems: readonly Diagnostic[];
  /** Params it was read from. */
  readonly reads: readonly string[];
}

/** What a value may refer to. */
export interface ValueScope {
  readonly source: Source;
  /** A param's value; undefined when there is no such param. */
  param(name: string): Evaluated | undefined;
  declaration(name: string): NamedDeclaration | undefined;
  readonly params: readonly string[];
  readonly lost: ast.Lost;
  /** A template's texts, by its declaration; undefined when they could not be read. */
  template(name: string): Json | undefined;
  readonly templates: readonly string[];
  /** The templates of each dataset that the operation is given. */
  templatesOf?(): readonly (readonly Json[])[];
  /** The columns before this operation; undefined when they are not known. */
  readonly row?: Row | undefined;
}

export interface Wanted {
  /** For messages: `beta`. */
  readonly name: string;
  readonly schema: ParamSchema;
  /** Where that is wanted, when it is a place in a file: the type of a param. */
  readonly place?: Place;
}

export function evaluateValue(e: ast.Expression, wanted: Wanted, scope: ValueScope): Evaluated {
  const { schema } = wanted;
  if (e.kind === "hole") return { problems: [], reads: [] };
  if (schema["x-align"] === "setting" || schema["x-align"] === "secret") {
    const setting = settingValue(e, wanted, scope);
    if (setting) return setting;
  }
  if (schema["x-align"] === "templates") return templatesValue(e, wanted, scope);
  if (schema["x-align"] === "template") return templateValue(e, wanted, scope);
  if (schema["x-align"] === "expression") return expressionValue(e, wanted, scope);
  if (isList(schema) && e.kind === "list") return listValue(e, wanted, scope);
  if (e.kind === "object") return objectValue(e, wanted, scope);

  if (e.kind === "call" && choicesOf(schema).includes(e.callee.text)) {
    return { problems: [optionless(e, wanted, scope)], reads: [] };
  }

  const reads: string[] = [];
  const plain = e.kind === "number" || e.kind === "string";
  const lowered = plain
    ? literal(e.value, textOf(scope.source, e.span))
    : lowerExpression(e, scope.source, constants(scope, wanted, reads));
  if (!lowered.expr) return { problems: lowered.problems, reads };
  const value = evaluate(lowered.expr);
  if (value === undefined) return { problems: [noValue(e, lowered.expr, scope)], reads };
  const problem = unfit(e, value, lowered.expr, wanted, scope);
  return problem ? { problems: [problem], reads } : { value, problems: [], reads };
}

function optionless(e: ast.Call, wanted: Wanted, scope: ValueScope): Diagnostic {
  const { text } = e.callee;
  const at: Place = { path: scope.source.path, span: e.span };
  return diagnose("AL0301", {
    title: `\`${text}\` takes no options`,
    at,
    label: `a choice of \`${wanted.name}\``,
    help: [`write \`${text}\``],
    fixes: [replacement(at, text)],
  });
}

function listValue(e: ast.ListExpression, wanted: Wanted, scope: ValueScope): Evaluated {
  const items = e.items.map((item) =>
    evaluateValue(item, { ...wanted, schema: wanted.schema.items ?? {} }, scope),
  );
  const problems = items.flatMap((i) => i.problems);
  const reads = items.flatMap((i) => i.reads);
  if (items.some((i) => i.value === undefined)) return { problems, reads };
  return { value: items.map((i) => i.value!), problems, reads };
}

function objectValue(e: ast.ObjectExpression, wanted: Wanted, scope: ValueScope): Evaluated {
  if (wanted.schema.type !== undefined && wanted.schema.type !== "object") {
    return { problems: [wrongType(e, "a block", wanted, scope)], reads: [] };
  }
  const entries = e.entries.map(
    (x) => [x.name.text, evaluateValue(x.value, { name: x.name.text, schema: {} }, scope)] as const,
  );
  const problems = entries.flatMap(([, v]) => v.problems);
  const reads = entries.flatMap(([, v]) => v.reads);
  if (entries.some(([, v]) => v.value === undefined)) return { problems, reads };
  return { value: Object.fromEntries(entries.map(([name, v]) => [name, v.value!])), problems, reads };
}

/** Words here are the parameter's own choices first, then params. */
function constants(scope: ValueScope, wanted: Wanted, reads: string[]): Meaning {
  const choices = choicesOf(wanted.schema);
  return {
    reference(name, text) {
      if (choices.includes(name.text)) return literal(name.text, text);
      return paramValue(name, text, scope, reads) ?? nothing(unknownWord(name, choices, wanted, scope));
    },
    member(e, text) {
      return nothing(
        diagnose("AL0301", {
          title: `\`${text}\` is not known before the pipeline runs`,
          at: { path: scope.source.path, span: e.span },
          label: `${describe(wanted.schema)} is wanted for \`${wanted.name}\``,
          help: ["results of stages can be read in `expect` only"],
        }),
      );
    },
  };
}

function paramValue(name: ast.Name, text: string, scope: ValueScope, reads: string[]): Lowered | undefined {
  const param = scope.param(name.text);
  if (!param) return scope.lost.has(name.text) ? nothing() : undefined;
  reads.push(name.text);
  // What is wrong with the param is said at the param.
  return param.value === undefined ? nothing() : literal(param.value, text);
}

function unknownWord(
  name: ast.Name,
  choices: readonly string[],
  wanted: Wanted,
  scope: ValueScope,
): Diagnostic {
  const at: Place = { path: scope.source.path, span: name.span };
  const other = scope.declaration(name.text);
  if (other) {
    return diagnose("AL0301", {
      title: `\`${name.text}\` is ${kindOf(other)}, \`${wanted.name}\` wants ${describe(wanted.schema)}`,
      at,
      label: `this is ${kindOf(other)}`,
      related: [[declaredAt(other), "declared here"]],
      help: [`write ${describe(wanted.schema)}, or the name of a param`],
    });
  }
  if (choices.length > 0) {
    return diagnose("AL0109", {
      title: `\`${wanted.name}\` has no choice \`${name.text}\``,
      at,
      label: "unknown choice",
      ...didYouMean(name.text, [...choices, ...scope.params], at, () => `choices are ${oneOf(choices)}`),
    });
  }
  const lower = name.text.toLowerCase();
  if (lower === "true" || lower === "false") {
    return diagnose("AL0101", {
      title: `\`${name.text}\` is not declared`,
      at,
      label: "unknown name",
      help: [`write \`${lower}\``],
      fixes: [replacement(at, lower)],
    });
  }
  const quoted = JSON.stringify(name.text);
  if (wanted.schema.type === "string") {
    const near = didYouMean(name.text, scope.params, at);
    return diagnose("AL0101", {
      title: `\`${name.text}\` is not declared`,
      at,
      label: "unknown name",
      help: [...near.help, `a text is written ${quoted}`],
      fixes: [...near.fixes, replacement(at, quoted)],
    });
  }
  return diagnose("AL0101", {
    title: `\`${name.text}\` is not declared`,
    at,
    label: "unknown name",
    ...didYouMean(name.text, scope.params, at, (all) =>
      all.length > 0 ? `params are ${listed(all)}` : `\`${wanted.name}\` wants ${describe(wanted.schema)}`,
    ),
  });
}

/** Why a value may not stand there, if it may not. */
function unfit(
  e: ast.Expression,
  value: Json,
  expr: Expr,
  wanted: Wanted,
  scope: ValueScope,
): Diagnostic | undefined {
  const { schema, name } = wanted;
  const at: Place = { path: scope.source.path, span: e.span };
  const related = wanted.place ? ([[wanted.place, `${describe(schema)} is wanted`]] as const) : [];
  const unit = e.kind === "number" ? e.unit : undefined;
  if (unit && !unitFits(unit, schema)) return wrongType(e, unitNames[unit], wanted, scope);
  const choices = choicesOf(schema);
  if (
    choices.length > 0 &&
    typeof value === "string" &&
    !choices.includes(value) &&
    !fitsOtherwise(value, schema)
  ) {
    return diagnose("AL0109", {
      title: `\`${name}\` has no choice ${show(value)}`,
      at,
      label: "unknown choice",
      related,
      ...didYouMean(value, choices, at, () => `choices are ${oneOf(choices)}`),
    });
  }
  if (!typeOk(value, schema) || !choiceOk(value, schema)) {
    return wrongType(
      e,
      e.kind === "string"
        ? describeValue(value)
        : e.kind === "number"
          ? textOf(scope.source, e.span)
          : `${describeValue(value)}, ${show(value)}`,
      wanted,
      scope,
    );
  }
  const broken = brokenBound(value, schema);
  if (!broken) return undefined;
  const percent = asPercent(e, value, schema, scope);
  const written = (v: Json) => (unit === "%" && typeof v === "number" ? `${show(v * 100)}%` : show(v));
  return diagnose("AL0302", {
    title: `\`${name}\` must be ${broken.op} ${written(broken.limit)}, this is ${written(value)}`,
    at,
    label: `this is ${written(value)}`,
    related,
    notes: e.kind === "number" ? [] : [explanation(expr, broken.op, broken.limit)],
    ...(percent === undefined
      ? { help: [`write ${describe(schema)}`] }
      : { help: [`write a percentage: \`${percent}\``], fixes: [replacement(at, percent)] }),
  });
}

/** `10` where a share is wanted. */
function asPercent(
  e: ast.Expression,
  value: Json,
  schema: ParamSchema,
  scope: ValueScope,
): string | undefined {
  const share = schema["x-unit"] === "fraction" && e.kind === "number" && e.unit === undefined;
  if (!share || typeof value !== "number" || value <= 1 || value > 100) return undefined;
  return brokenBound(value / 100, schema) ? undefined : `${textOf(scope.source, e.span)}%`;
}

/** The power-assert tree of `expr op limit`. */
function explanation(expr: Expr, op: ">" | ">=" | "<" | "<=", limit: number): string {
  const bound: Expr = { kind: "literal", value: limit, text: String(limit) };
  const text = `${expr.text} ${op} ${limit}`;
  return explain({ kind: "binary", op, left: expr, right: bound, text }).join("\n");
}

/** Whether it fits an alternative that is not a choice of words. */
function fitsOtherwise(value: Json, schema: ParamSchema): boolean {
  const rest = (schema.anyOf ?? []).filter((s) => s.const === undefined && s.enum === undefined);
  return rest.some((s) => typeOk(value, s));
}

const unitNames: Readonly<Record<ast.Unit, string>> = {
  "%": "a percentage",
  ms: "a duration",
  bytes: "a number of bytes",
};

function unitFits(unit: ast.Unit, schema: ParamSchema): boolean {
  if (schema.anyOf) return schema.anyOf.some((s) => unitFits(unit, s));
  if (schema.type !== undefined && schema.type !== "number" && schema.type !== "integer") return false;
  const wanted = schema["x-unit"];
  if (unit === "%") return schema.type !== "integer" && (wanted === undefined || wanted === "fraction");
  return wanted === undefined ? schema.type === undefined : wanted === unit;
}

function wrongType(e: ast.Expression, given: string, wanted: Wanted, scope: ValueScope): Diagnostic {
  const text = textOf(scope.source, e.span);
  const at: Place = { path: scope.source.path, span: e.span };
  const plain = isList(wanted.schema) ? undefined : plainNumber(e, text, wanted.schema);
  const wrapped = isList(wanted.schema) ? [replacement(at, `[${text}]`)] : [];
  return diagnose("AL0301", {
    title: `\`${wanted.name}\` wants ${describe(wanted.schema)}, this is ${given}`,
    at: { path: scope.source.path, span: e.span },
    label: `this is ${given}`,
    related: wanted.place ? [[wanted.place, `${describe(wanted.schema)} is wanted`]] : [],
    help: [
      wrapped.length > 0
        ? `write a list: \`[${text}]\``
        : plain === undefined
          ? `write ${describe(wanted.schema)}`
          : `write ${describe(wanted.schema)}: \`${plain}\``,
    ],
    fixes: plain === undefined ? wrapped : [replacement(at, plain)],
  });
}

/** The number in `"2"` and `32MB`, where a number is what is wanted. */
function plainNumber(e: ast.Expression, text: string, schema: ParamSchema): string | undefined {
  const digits = e.kind === "string" ? e.value : e.kind === "number" && e.unit !== "%" ? text : "";
  const plain = /^-?\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?(?=[A-Za-z]*$)/.exec(digits)?.[0];
  if (plain === undefined || (e.kind === "string" && plain !== digits)) return undefined;
  const value = Number(plain.replaceAll("_", ""));
  return typeOk(value, schema) && choiceOk(value, schema) && !brokenBound(value, schema) ? plain : undefined;
}

function noValue(e: ast.Expression, expr: Expr, scope: ValueScope): Diagnostic {
  return diagnose("AL0305", {
    title: `\`${expr.text}\` has no value`,
    at: { path: scope.source.path, span: e.span },
    label: "this cannot be evaluated",
    notes: [explain(expr).join("\n")],
    help: ["a division by zero, or a number too large; change one of the values"],
  });
}

/** `env("NAME")`; undefined for any other value that may stand there. */
function settingValue(e: ast.Expression, wanted: Wanted, scope: ValueScope): Evaluated | undefined {
  const variable = e.kind === "call" && e.callee.text === "env" ? e.args[0]?.value : undefined;
  if (variable?.kind === "string") return { value: { env: variable.value }, problems: [], reads: [] };
  if (wanted.schema["x-align"] === "setting" && !variable) return undefined;
  const secret = wanted.schema["x-align"] === "secret";
  const problem = diagnose("AL0321", {
    title:
      secret && !variable
        ? `\`${wanted.name}\` is a secret, and files are shared`
        : "`env` wants the name of a variable",
    at: { path: scope.source.path, span: e.span },
    label: 'write `env("NAME")` here',
    help: [`put it into a variable of the environment and write \`${wanted.name}: env("API_KEY")\``],
  });
  return { problems: [problem], reads: [] };
}

/** `all`, `none`, how many of each dataset, or a list of templates for every dataset. */
function templatesValue(e: ast.Expression, wanted: Wanted, scope: ValueScope): Evaluated {
  const own = scope.templatesOf?.() ?? [];
  if (e.kind === "reference" && e.name.text === "all") return { value: own, problems: [], reads: [] };
  if (e.kind === "reference" && e.name.text === "none")
    return { value: own.map(() => []), problems: [], reads: [] };
  const isTemplate = e.kind === "reference" && scope.declaration(e.name.text)?.kind === "template";
  if (e.kind === "list" || isTemplate) {
    const items = e.kind === "list" ? e.items : [e];
    const each = items.map((item) =>
      templateValue(item, { ...wanted, schema: { "x-align": "template" } }, scope),
    );
    const problems = each.flatMap((x) => x.problems);
    const texts = each.flatMap((x) => (x.value === undefined ? [] : [x.value]));
    if (texts.length < each.length) return { problems, reads: [] };
    return { value: own.map(() => texts), problems, reads: [] };
  }
  const choice: ParamSchema = {
    anyOf: [{ const: "all" }, { const: "none" }, { type: "integer", minimum: 1 }],
  };
  const { value, problems, reads } = evaluateValue(e, { ...wanted, schema: choice }, scope);
  if (typeof value !== "number") return { problems, reads };
  return { value: own.map((all) => all.slice(0, value)), problems, reads };
}

function templateValue(e: ast.Expression, wanted: Wanted, scope: ValueScope): Evaluated {
  const ok = (value: Json): Evaluated => ({ value, problems: [], reads: [] });
  const at: Place = { path: scope.source.path, span: e.span };
  if (e.kind === "string") return ok({ input: e.value });
  if (e.kind === "object") return objectValue(e, { name: wanted.name, schema: { type: "object" } }, scope);
  if (e.kind !== "reference") return { problems: [wrongType(e, "not one", wanted, scope)], reads: [] };
  const declared = scope.declaration(e.name.text);
  if (declared?.kind === "template") {
    const value = scope.template(e.name.text);
    return value === undefined ? { problems: [], reads: [] } : ok(value);
  }
  if (declared) return { problems: [wrongType(e, kindOf(declared), wanted, scope)], reads: [] };
  if (scope.lost.has(e.name.text)) return { problems: [], reads: [] };
  const problem = diagnose("AL0101", {
    title: `there is no template \`${e.name.text}\``,
    at,
    label: "unknown template",
    ...didYouMean(e.name.text, scope.templates, at, (all) =>
      all.length > 0
        ? `templates are ${listed(all)}`
        : `declare it: template ${e.name.text} { input: "{{ … }}" }`,
    ),
  });
  return { problems: [problem], reads: [] };
}

const columnTypes: Readonly<Record<ColumnType, Lowered["type"]>> = {
  string: "string",
  number: "number",
  boolean: "boolean",
  list: "list",
  messages: "list",
  any: "any",
};

/** Words here are the row's columns first, then params. */
function expressionValue(e: ast.Expression, wanted: Wanted, scope: ValueScope): Evaluated {
  const reads: string[] = [];
  const { row, source } = scope;
  const meaning: Meaning = {
    reference(name, text) {
      const column = (type: ColumnType): Lowered => ({
        expr: { kind: "column", name: name.text, text },
        type: columnTypes[type],
        problems: [],
      });
      if (row && Object.hasOwn(row.columns, name.text)) return column(row.columns[name.text]!);
      const param = paramValue(name, text, scope, reads);
      if (param) return param;
      if (!row) return column("any");
      const at: Place = { path: source.path, span: name.span };
      const columns = Object.keys(row.columns);
      return nothing(
        diagnose("AL0108", {
          title: `these rows have no column \`${name.text}\``,
          at,
          label: "unknown column",
          ...didYouMean(name.text, [...columns, ...scope.params], at, () => `columns are ${listed(columns)}`),
        }),
      );
    },
    member(m, text) {
      return nothing(
        diagnose("AL0301", {
          title: `\`${text}\` cannot be read from a row`,
          at: { path: source.path, span: m.span },
          label: "not a column",
          help: ["use the names of columns"],
        }),
      );
    },
  };
  const lowered = lowerExpression(e, source, meaning);
  if (!lowered.expr) return { problems: lowered.problems, reads };
  if (wanted.schema.type === "boolean" && lowered.type !== "boolean" && lowered.type !== "any") {
    return {
      problems: [
        wrongType(e, `a ${lowered.type}`, { name: wanted.name, schema: { type: "boolean" } }, scope),
      ],
      reads,
    };
  }
  return { value: lowered.expr as unknown as Json, problems: [], reads };
}
