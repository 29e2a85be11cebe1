// One operation applied: which of its inputs and parameters is given what, and what comes out.
import type * as ast from "./ast.ts";
import type { BoundArgument } from "./bind.ts";
import type { Context } from "./context.ts";
import type { Provenance } from "./program.ts";
import { choicesOf, isList } from "./schema.ts";
import { isSet } from "./sets.ts";
import {
  type CallFacts,
  type InputSpec,
  type OperationKind,
  type ParamSchema,
  type Signature,
  signatureFor,
  type TypeProblem,
} from "./signature.ts";
import { join, type Place, positionAt } from "./source.ts";
import { templatesOf } from "./templates-of.ts";
import { any, commonType, fits, type Json, type Row, type Type } from "./types.ts";
import { type Evaluated, evaluateValue, type ValueScope } from "./values.ts";

export interface BoundInput {
  readonly spec: InputSpec;
  /** As written. */
  readonly expression: ast.Expression;
  /** One, unless several may stand there. */
  readonly given: readonly BoundArgument[];
}

export interface BoundValue {
  readonly name: string;
  /** Absent for a default. */
  readonly expression?: ast.Expression;
  /** The name as written, when it was given by name. */
  readonly written?: ast.Name;
  readonly schema: ParamSchema;
  readonly evaluated: Evaluated;
  readonly provenance: Provenance;
}

export interface BoundCall {
  readonly call: ast.Call;
  /** Absent when there is no such operation. */
  readonly signature?: Signature;
  /** Kinds of operation that may stand here. */
  readonly roles: readonly OperationKind[];
  /** What comes out of the pipe, for transforms. */
  readonly piped?: Piped;
  readonly inputs: readonly BoundInput[];
  /** Given ones in the order of the schema, defaults included. */
  readonly values: readonly BoundValue[];
  /** Those of them that are not defaults: most are, and of a default there is little to say. */
  readonly written: readonly BoundValue[];
  /** What has a value, by name. */
  readonly params: Readonly<Record<string, Json>>;
  readonly row?: Row;
  readonly unknown: readonly { readonly name: ast.Name; readonly value: ast.Expression }[];
  readonly extra: readonly ast.Expression[];
  readonly repeated: readonly { readonly name: ast.Name; readonly first: Place }[];
  readonly missingInputs: readonly InputSpec[];
  readonly missingParams: readonly string[];
  readonly output: Type;
  readonly outputProblem?: TypeProblem;
}

export interface Piped {
  readonly type: Type;
  readonly place: Place;
}

export interface CallSite {
  readonly id: string;
  readonly roles: readonly OperationKind[];
  readonly block?: ast.ObjectExpression | undefined;
  readonly piped?: Piped;
  /** The profile that replaced the whole declaration. */
  readonly profile?: string | undefined;
}

/** Binds what stands where a declaration is wanted; `id` is for a pipeline written there. */
export type BindGiven = (expression: ast.Expression, id: string, many: boolean) => readonly BoundArgument[];

interface Given {
  readonly expression: ast.Expression;
  readonly written?: ast.Name;
  readonly profile?: string | undefined;
}

/** The input that the pipe fills, if the operation has one. */
export function pipeInput(signature: Signature): InputSpec | undefined {
  const first = signature.inputs[0];
  return signature.kind === "transform" && first && ["dataset", "any"].includes(first.type.kind)
    ? first
    : undefined;
}

export function bindCall(call: ast.Call, site: CallSite, context: Context, bindGiven: BindGiven): BoundCall {
  const signature = signatureFor(context.signatures, call.callee.text, site.roles);
  if (!signature)
    return {
      call,
      ...(site.piped && { piped: site.piped }),
      roles: site.roles,
      ...nothingBound,
      output: any,
    };

  const sorted = sortArguments(call, signature, site, context);
  const pipe = site.piped ? pipeInput(signature) : undefined;
  const inputs: BoundInput[] = [];
  const missingInputs: InputSpec[] = [];
  const specs = signature.restInputs
    ? [...signature.inputs, ...inputsByAnyName(signature, sorted)]
    : signature.inputs;
  for (const spec of specs) {
    if (spec === pipe) continue;
    const given = sorted.inputs.get(spec.name);
    if (given) {
      const { expression } = given;
      const id = `${site.id}.${spec.name}`;
      inputs.push({ spec, expression, given: bindGiven(expression, id, spec.variadic ?? false) });
    } else if (!spec.optional) missingInputs.push(spec);
  }
  const row = rowBefore(site, inputs);
  const values = bindValues(signature, sorted.params, site, row, inputs, context);
  const written = values.filter((v) => v.expression);
  const params: Record<string, Json> = {};
  for (const { name, evaluated } of values) if (evaluated.value !== undefined) params[name] = evaluated.value;
  const bound: Unfinished = {
    call,
    signature,
    roles: site.roles,
    ...(site.piped && { piped: site.piped }),
    inputs,
    values,
    written,
    params,
    ...(row && { row }),
    unknown: sorted.unknown,
    extra: sorted.extra,
    repeated: sorted.repeated,
    missingInputs,
    missingParams: missingParams(signature, values),
  };
  return Object.assign(bound, outputOf(bound, signature, site, context));
}

const none: readonly never[] = [];

const nothingBound = {
  inputs: none,
  values: none,
  written: none,
  params: {},
  unknown: none,
  extra: none,
  repeated: none,
  missingInputs: none,
  missingParams: none,
};

function missingParams(
  { params: { required, properties } }: Signature,
  values: readonly BoundValue[],
): readonly string[] {
  const without = required?.filter((name) => properties[name]?.default === undefined) ?? none;
  return without.filter((name) => !values.some((v) => v.name === name));
}

function inputsByAnyName({ inputs, restInputs }: Signature, sorted: Sorted): InputSpec[] {
  const names = [...sorted.inputs.keys()].filter((name) => !inputs.some((spec) => spec.name === name));
  return restInputs ? names.map((name) => ({ ...restInputs, name })) : [];
}

interface Sorted {
  readonly inputs: Map<string, Given>;
  readonly params: Map<string, Given>;
  readonly unknown: { name: ast.Name; value: ast.Expression }[];
  readonly extra: ast.Expression[];
  readonly repeated: { name: ast.Name; first: Place }[];
}

function sortArguments(call: ast.Call, signature: Signature, site: CallSite, context: Context): Sorted {
  const sorted: Sorted = { inputs: new Map(), params: new Map(), unknown: [], extra: [], repeated: [] };
  const piped = site.piped ? pipeInput(signature)?.name : undefined;
  const inputNames = new Set(signature.inputs.map((i) => i.name).filter((name) => name !== piped));
  const first = new Map<string, Place>();
  const give = (name: ast.Name, value: ast.Expression, profile: string | undefined) => {
    const called = calledChoice(name, value, signature);
    if (called) {
      give(name, { kind: "reference", name: called.callee, span: called.callee.span }, profile);
      const options = signature.params.properties[name.text]!["x-options"]!;
      for (const { name: option, value: given } of called.args) {
        if (!option) sorted.extra.push(given);
        else if (Object.hasOwn(options, option.text))
          give({ text: options[option.text]!, span: option.span }, given, profile);
        else sorted.unknown.push({ name: option, value: given });
      }
      return;
    }
    const target = inputNames.has(name.text)
      ? sorted.inputs
      : Object.hasOwn(signature.params.properties, name.text)
        ? sorted.params
        : signature.restInputs && isNodeLike(value, context)
          ? sorted.inputs
          : signature.rest
            ? sorted.params
            : undefined;
    if (!target) {
      sorted.unknown.push({ name, value });
      return;
    }
    const before = first.get(name.text);
    if (before && profile === undefined) sorted.repeated.push({ name, first: before });
    first.set(name.text, context.place(name.span));
    target.set(name.text, {
      expression: value,
      written: name,
      ...(profile === undefined ? {} : { profile }),
    });
  };
  const byName = new Set(call.args.map((a) => a.name?.text));
  const places = [...inputNames, ...signature.positional].filter((name) => !byName.has(name)).length;
  const positional: ast.Expression[] = [];
  for (const arg of call.args) {
    if (arg.name) give(arg.name, arg.value, undefined);
    else {
      // `select(prompt)` is `select(prompt: prompt)`: where any name may be given, a bare one gives itself.
      const own = signature.rest || signature.restInputs ? ownName(arg.value, call, context) : undefined;
      if (own && positional.length >= places) give(own, arg.value, undefined);
      else positional.push(arg.value);
    }
  }
  for (const entry of site.block?.entries ?? []) give(entry.name, entry.value, entry.profile);
  sortPositional(positional, signature, sorted, piped, context);
  return sorted;
}

/** `prompt` is called so, `tuned[*]` is called `tuned`; of several members of one family `d[0.1]` is called `d_0_1`. */
function ownName(e: ast.Expression, call: ast.Call, context: Context): ast.Name | undefined {
  if (e.kind === "reference") return e.name;
  const family = familyOf(e);
  const among = call.args.filter((a) => !a.name && family && familyOf(a.value)?.text === family.text);
  if (among.length < 2) return family;
  const text = context.source.text.slice(e.span.start, e.span.end);
  return { text: text.replace(/\W+$/, "").replace(/\W+/g, "_"), span: e.span };
}

const familyOf = (e: ast.Expression): ast.Name | undefined =>
  e.kind === "index" && e.object.kind === "reference" ? e.object.name : undefined;

/** `cosine(final: 10%)`, where the parameter has options for its choices. */
function calledChoice(name: ast.Name, value: ast.Expression, { params }: Signature): ast.Call | undefined {
  const schema = Object.hasOwn(params.properties, name.text) ? params.properties[name.text]! : {};
  if (value.kind !== "call" || !schema["x-options"]) return undefined;
  return choicesOf(schema).includes(value.callee.text) ? value : undefined;
}

function sortPositional(
  given: readonly ast.Expression[],
  signature: Signature,
  sorted: Sorted,
  piped: string | undefined,
  context: Context,
): void {
  const inputs = signature.inputs.filter((i) => i.name !== piped && !sorted.inputs.has(i.name));
  const params = signature.positional.filter((name) => !sorted.params.has(name));
  const queue = [...given];
  while (queue.length > 0) {
    const value = queue.shift()!;
    const input = inputs[0];
    if (input && (isNodeLike(value, context) || params.length === 0)) {
      inputs.shift();
      sorted.inputs.set(input.name, { expression: value });
      continue;
    }
    const param = params.shift();
    if (param === undefined) {
      sorted.extra.push(value);
      continue;
    }
    const schema = signature.params.properties[param] ?? {};
    const collects = params.length === 0 && isList(schema) && value.kind !== "list";
    const rest = collects ? [value, ...queue.splice(0)] : [];
    const span = rest.reduce((s, r) => join(s, r.span), value.span);
    sorted.params.set(param, { expression: collects ? { kind: "list", items: rest, span } : value });
  }
}

/** Whether this can only be meant as a declaration, not as a plain value. */
function isNodeLike(e: ast.Expression, context: Context): boolean {
  switch (e.kind) {
    case "reference": {
      const d = context.scope.names.get(e.name.text);
      return d === undefined ? !["true", "false", "null"].includes(e.name.text) : d.kind !== "param";
    }
    case "call":
      return context.signatures.has(e.callee.text) || isSet(e, context);
    case "list":
      return e.items.length > 0 && e.items.every((item) => isNodeLike(item, context));
    case "binary":
      return e.op === "and" && isNodeLike(e.left, context) && isNodeLike(e.right, context);
    case "index":
    case "except":
    case "pipe":
    case "cast":
    case "hole":
      return true;
    default:
      return false;
  }
}

/** The row before the pipe, or of the first dataset given. */
function rowBefore(site: CallSite, inputs: readonly BoundInput[]): Row | undefined {
  if (site.piped) return site.piped.type.kind === "dataset" ? site.piped.type.row : undefined;
  for (const input of inputs) {
    const type = commonType(input.given.map((g) => g.type));
    if (type?.kind === "dataset") return type.row;
  }
  return undefined;
}

function bindValues(
  signature: Signature,
  given: Map<string, Given>,
  site: CallSite,
  row: Row | undefined,
  inputs: readonly BoundInput[],
  context: Context,
): BoundValue[] {
  const values: BoundValue[] = [];
  const datasets = inputs.find((i) => i.given.some((g) => g.type.kind === "dataset"))?.given ?? [];
  let scope: ValueScope | undefined;
  const bind = (name: string, schema: ParamSchema, g: Given) => {
    scope ??= { ...context.values, row, templatesOf: () => templatesOf(datasets, context) };
    const evaluated = evaluateValue(g.expression, { name, schema }, scope);
    const profile = g.profile ?? site.profile;
    const provenance = provenanceOf(g.expression, evaluated, profile, context);
    const { expression, written } = g;
    values.push({ name, expression, ...(written && { written }), schema, evaluated, provenance });
  };
  const declared = signature.params.properties;
  for (const name in declared) {
    const schema = declared[name]!;
    const g = given.get(name);
    if (g) bind(name, schema, g);
    else if (schema["x-align"] === "templates") {
      const evaluated = { value: templatesOf(datasets, context), problems: [], reads: [] };
      values.push({ ...byDefault(name, schema), evaluated });
    } else if (schema.default !== undefined) values.push(byDefault(name, schema));
  }
  if (signature.rest)
    for (const [name, g] of given) if (!Object.hasOwn(declared, name)) bind(name, signature.rest, g);
  return values;
}

const defaults = new WeakMap<ParamSchema, BoundValue>();

/** The same for every call, of which most parameters are left as they are. */
function byDefault(name: string, schema: ParamSchema): BoundValue {
  const known = defaults.get(schema);
  if (known?.name === name) return known;
  const source = schema["x-source"];
  const value: BoundValue = {
    name,
    schema,
    evaluated: { value: schema.default!, problems: [], reads: [] },
    provenance: { from: "default", ...(source === undefined ? {} : { source }) },
  };
  defaults.set(schema, value);
  return value;
}

function provenanceOf(
  e: ast.Expression,
  evaluated: Evaluated,
  profile: string | undefined,
  context: Context,
): Provenance {
  const param = evaluated.reads[0];
  const origin = param === undefined ? undefined : originOf(param, context);
  if (param !== undefined && origin === "set") return { from: "set", param };
  const through = profile ?? (origin === "profile" ? context.profile : undefined);
  if (through !== undefined)
    return { from: "profile", profile: through, ...(param === undefined ? {} : { param }) };
  const { line } = positionAt(context.source, e.span.start);
  const path = context.isRoot ? {} : { path: context.source.path };
  return { from: "file", ...path, line, ...(param === undefined ? {} : { param }) };
}

/** Where a param's value came from in the end: `param a = b` is set where `b` is. */
function originOf(name: string, context: Context): "file" | "profile" | "set" {
  const state = context.param(name);
  if (state?.origin !== "file") return state?.origin ?? "file";
  const next = state.evaluated.reads[0];
  return next === undefined || next === name ? "file" : originOf(next, context);
}

type Unfinished = Omit<BoundCall, "output" | "outputProblem">;

/** Asks the operation. What is missing or wrong is replaced by what was wanted, so that it need not cope with either. */
function outputOf(
  bound: Unfinished,
  signature: Signature,
  site: CallSite,
  context: Context,
): Pick<BoundCall, "output" | "outputProblem"> {
  const clean =
    bound.missingInputs.length === 0 &&
    bound.unknown.length === 0 &&
    bound.extra.length === 0 &&
    bound.values.every((v) => v.evaluated.value !== undefined) &&
    bound.inputs.every((i) =>
      i.given.every(
        (g) => i.spec.type.kind === "any" || (g.type.kind !== "any" && fits(g.type, i.spec.type)),
      ),
    );
  if (bound.inputs.some((i) => i.given.length === 0)) return { output: any };
  if (bound.missingParams.length > 0 || !site.roles.includes(signature.kind)) return { output: any };
  const pipe = site.piped ? pipeInput(signature) : undefined;
  if (site.piped && (site.piped.type.kind !== "dataset" || (pipe && !fits(site.piped.type, pipe.type)))) {
    return { output: any };
  }
  const facts = factsOf(bound, signature, context);
  if (!facts) return { output: any };
  const output = signature.output(facts);
  if ("kind" in output) return { output };
  return clean ? { output: any, outputProblem: output } : { output: any };
}

function factsOf(bound: Unfinished, signature: Signature, context: Context): CallFacts | undefined {
  const inputs: Record<string, Type> = {};
  const given: Record<string, readonly Type[]> = {};
  for (const spec of signature.inputs) {
    const piped = bound.piped && spec === pipeInput(signature) ? bound.piped.type : undefined;
    if (piped) inputs[spec.name] = piped;
    else if (!spec.optional) inputs[spec.name] = wantedOf(spec);
  }
  for (const { spec, given: all } of bound.inputs) {
    const types = all.map((g) => (g.type.kind !== "any" && fits(g.type, spec.type) ? g.type : spec.type));
    inputs[spec.name] = spec.variadic
      ? { kind: "list", of: commonType(types) ?? spec.type }
      : (types[0] ?? spec.type);
    if (spec.variadic) given[spec.name] = all.map((g) => g.type);
  }
  const params = complete(bound);
  const { row } = bound;
  return params && { inputs, given, params, ...(row && { row }), peek: (path) => context.host.peek(path) };
}

const wantedOf = ({ variadic, type }: InputSpec): Type => (variadic ? { kind: "list", of: type } : type);

/** With defaults for what has no value; undefined where there is none either. */
function complete({ values, params }: Unfinished): CallFacts["params"] | undefined {
  const without = values.filter((v) => v.evaluated.value === undefined);
  if (without.length === 0) return params;
  if (without.some((v) => v.schema.default === undefined)) return undefined;
  return { ...params, ...Object.fromEntries(without.map((v) => [v.name, v.schema.default!])) };
}
