// `stage d[beta in [0.1, 1]]`: the values that a family runs over, and the declaration that each of its members is.
import type * as ast from "./ast.ts";
import { diagnose, replacement } from "./codes.ts";
import type { Context } from "./context.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { declaredAt, kindOf } from "./scope.ts";
import { listed } from "./suggest.ts";
import { evaluateValue } from "./values.ts";

/** More is not readable, and hardly meant. */
const mostMembers = 1_000;

/** One value of a dimension: `0.1`, or the name `nli`. */
interface FamilyValue {
  /** As it is written between the brackets. */
  readonly key: string;
  /** What stands in the place of the dimension's name. */
  readonly expression: ast.Expression;
}

export interface Family {
  readonly declaration: ast.NodeDeclaration;
  readonly dimensions: readonly { readonly name: string; readonly values: readonly FamilyValue[] }[];
  readonly members: readonly Member[];
  readonly problems: readonly Diagnostic[];
}

export interface Member {
  /** `d[0.1]` */
  readonly name: string;
  /** In the order of the dimensions. */
  readonly keys: readonly string[];
  readonly declaration: ast.NodeDeclaration;
}

export function readFamily(d: ast.NodeDeclaration, context: Context): Family {
  const problems: Diagnostic[] = [];
  const dimensions = (d.dimensions ?? []).map(({ name, values }) => {
    const found = valuesOf(values, context, problems);
    return { name: name.text, values: once(found, problems, context) };
  });
  const count = dimensions.reduce((product, { values }) => product * values.length, 1);
  if (count > mostMembers) {
    problems.push(
      diagnose("AL0901", {
        title: `\`${d.name.text}\` has ${count} members`,
        at: context.place(d.name.span),
        label: `at most ${mostMembers} can be told apart`,
        help: ["give it fewer values, or make two families of it"],
      }),
    );
  }
  const all = count > mostMembers ? [] : combinations(dimensions.map(({ values }) => values));
  const members = all.map((values): Member => {
    const keys = values.map(({ key }) => key);
    const name = memberName(d.name.text, keys);
    const given = new Map(values.map((v, i) => [dimensions[i]!.name, v.expression]));
    const { dimensions: _, ...rest } = d;
    const declaration: ast.NodeDeclaration = {
      ...rest,
      name: { text: name, span: d.name.span },
      ...(d.value ? { value: substitute(d.value, given) } : {}),
      ...(d.block ? { block: substitute(d.block, given) as ast.ObjectExpression } : {}),
    };
    return { name, keys, declaration };
  });
  return { declaration: d, dimensions, members, problems };
}

export function memberName(family: string, keys: readonly string[]): string {
  return `${family}[${keys.join(", ")}]`;
}

/** The members that `d[0.1]`, `d[*]` or `x[nli, *]` names; undefined where a key is not one of the family's. */
export function membersAt(
  family: Family,
  items: ast.Index["items"],
  context: Context,
): readonly Member[] | undefined {
  if (items.length !== family.dimensions.length) return undefined;
  const keys = items.map((item) => (item === "*" ? item : keyOf(item, context)));
  const known = keys.every(
    (key, i) => key === "*" || family.dimensions[i]!.values.some((value) => value.key === key),
  );
  if (!known) return undefined;
  return family.members.filter((m) => keys.every((key, i) => key === "*" || m.keys[i] === key));
}

/** How a value is written as a key; undefined when it has none. */
export function keyOf(e: ast.Expression, context: Context): string | undefined {
  if (e.kind === "reference" && !context.param(e.name.text)) return e.name.text;
  const { value } = evaluateValue(e, { name: "key", schema: {} }, context.values);
  if (typeof value === "string") return /^[\w.-]+$/.test(value) ? value : JSON.stringify(value);
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

function valuesOf(e: ast.Expression, context: Context, problems: Diagnostic[]): FamilyValue[] {
  switch (e.kind) {
    case "hole":
      return [];
    case "list":
      return e.items.flatMap((item) => oneValue(item, context, problems));
    case "except": {
      const without = new Set(valuesOf(e.without, context, problems).map(({ key }) => key));
      return valuesOf(e.set, context, problems).filter(({ key }) => !without.has(key));
    }
    case "binary":
      if (e.op === "and")
        return [...valuesOf(e.left, context, problems), ...valuesOf(e.right, context, problems)];
      break;
    case "reference": {
      const named = (text: string): FamilyValue => ({
        key: text,
        expression: { kind: "reference", name: { text, span: e.span }, span: e.span },
      });
      const d = context.scope.names.get(e.name.text);
      if (!d && e.name.text === "clusters") return context.clusters().map(named);
      if (!d && context.scope.lost.has(e.name.text)) return [];
      if (d?.kind === "cluster") {
        return context
          .set(e)
          .flatMap(({ node }) => (node?.declaration ? named(node.declaration.name.text) : []));
      }
    }
  }
  const d = e.kind === "reference" ? context.scope.names.get(e.name.text) : undefined;
  problems.push(
    diagnose("AL0901", {
      title: d
        ? `\`${d.name.text}\` is ${kindOf(d)}, a family runs over values`
        : "a family runs over values",
      at: context.place(e.span),
      label: "a list, a cluster or `clusters` is expected here",
      help: ["write the values: `[0.1, 0.5]`"],
    }),
  );
  return [];
}

function oneValue(item: ast.Expression, context: Context, problems: Diagnostic[]): FamilyValue[] {
  if (item.kind === "hole") return [];
  const before = problems.length;
  if (item.kind !== "reference") {
    problems.push(...evaluateValue(item, { name: "key", schema: {} }, context.values).problems);
    if (problems.length > before) return [];
  }
  const key = keyOf(item, context);
  if (key !== undefined) return [{ key, expression: item }];
  problems.push(
    diagnose("AL0901", {
      title: "this cannot tell one member of a family from another",
      at: context.place(item.span),
      label: "a number, a text or a name is expected here",
      help: ["give it a name of its own, and write the name"],
    }),
  );
  return [];
}

/** A value written twice would be two nodes of one name. */
function once(values: readonly FamilyValue[], problems: Diagnostic[], context: Context): FamilyValue[] {
  const known = new Map<string, FamilyValue>();
  for (const value of values) {
    const first = known.get(value.key);
    if (!first) known.set(value.key, value);
    else if (first.expression.span.start !== value.expression.span.start) {
      problems.push(
        diagnose("AL0102", {
          title: `\`${value.key}\` is among the values twice`,
          at: context.place(value.expression.span),
          label: "again here",
          related: [[context.place(first.expression.span), "first here"]],
          help: ["each value makes one member: remove one of them"],
        }),
      );
    }
  }
  return [...known.values()];
}

/** The expression with names replaced; what replaces a name stands where the name stood, if it is a name itself. */
function substitute(e: ast.Expression, given: ReadonlyMap<string, ast.Expression>): ast.Expression {
  const inside = (x: ast.Expression) => substitute(x, given);
  switch (e.kind) {
    case "reference": {
      const by = given.get(e.name.text);
      if (by?.kind !== "reference") return by ?? e;
      return { ...by, name: { text: by.name.text, span: e.span }, span: e.span };
    }
    case "member":
      return { ...e, object: inside(e.object) };
    case "index":
      return { ...e, object: inside(e.object), items: e.items.map((i) => (i === "*" ? i : inside(i))) };
    case "except":
      return { ...e, set: inside(e.set), without: inside(e.without) };
    case "call":
      return { ...e, args: e.args.map((a) => ({ ...a, value: inside(a.value) })) };
    case "pipe":
      return { ...e, input: inside(e.input), call: inside(e.call) as ast.Call };
    case "cast":
      return { ...e, input: inside(e.input) };
    case "binary":
      return { ...e, left: inside(e.left), right: inside(e.right) };
    case "not":
    case "negate":
      return { ...e, operand: inside(e.operand) };
    case "list":
      return { ...e, items: e.items.map(inside) };
    case "object":
      return { ...e, entries: e.entries.map((x) => ({ ...x, value: inside(x.value) })) };
    default:
      return e;
  }
}

/** What to say of a family where one of its members is wanted. */
export function wholeFamily(name: ast.Name, context: Context): Diagnostic[] {
  const family = context.family(name.text);
  const d = context.scope.names.get(name.text);
  if (!family || !d) return [];
  const at = context.place(name.span);
  const members = family.members.map((m) => m.name);
  const all = memberName(
    name.text,
    family.dimensions.map(() => "*"),
  );
  return [
    diagnose("AL0903", {
      title: `\`${name.text}\` is ${kindOf(d)}, one member is wanted`,
      at,
      label: "which one?",
      related: [[declaredAt(d), `${members.length} members are declared here`]],
      help: [`write one of ${listed(members, 4)}, or \`${all}\` where several may stand`],
      fixes: members.length <= 4 ? members.map((m) => replacement(at, m)) : [],
    }),
  ];
}

/** `[[1, 2], [a, b]]` → `[1, a], [1, b], [2, a], [2, b]` */
function combinations<T>(all: readonly (readonly T[])[]): T[][] {
  return all.reduce<T[][]>((made, values) => made.flatMap((m) => values.map((v) => [...m, v])), [[]]);
}
