// Expressions over metrics, columns or constants: AST → lowered expression, with its type checked on the way.
import type * as ast from "./ast.ts";
import { diagnose } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { functions, type ValueType } from "./functions.ts";
import type { Expr } from "./program.ts";
import type { Place, Source, Span } from "./source.ts";
import { didYouMean, listed } from "./suggest.ts";
import type { Json } from "./types.ts";

export interface Lowered {
  /** Absent when a part of it is wrong, which `problems` says, or is a hole. */
  readonly expr?: Expr;
  readonly type: ValueType;
  readonly problems: readonly Diagnostic[];
}

/** What bare words and `a.b` mean here. */
export interface Meaning {
  reference(name: ast.Name, text: string): Lowered;
  member(expression: ast.Member, text: string): Lowered;
  /** Several values where a function takes any number of them; undefined where it is one. */
  many?(expression: ast.Expression): readonly Lowered[] | undefined;
}

export function nothing(...problems: Diagnostic[]): Lowered {
  return { type: "any", problems };
}

export function literal(value: Json, text: string): Lowered {
  return { expr: { kind: "literal", value, text }, type: typeOfValue(value), problems: [] };
}

export function typeOfValue(value: Json): ValueType {
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
    return typeof value as ValueType;
  }
  return Array.isArray(value) ? "list" : "any";
}

/** The source of an expression on one line. */
export function textOf(source: Source, span: Span): string {
  const written = source.text.slice(span.start, span.end);
  if (!/\s\s|[^\S ]|\/\//.test(written)) return written;
  return written
    .replace(/\/\/[^\n]*/g, " ")
    .replace(/\s+/g, " ")
    .trim();
}

export function lowerExpression(e: ast.Expression, source: Source, meaning: Meaning): Lowered {
  const text = textOf(source, e.span);
  const at: Place = { path: source.path, span: e.span };
  const lower = (x: ast.Expression) => lowerExpression(x, source, meaning);
  switch (e.kind) {
    case "hole":
      return nothing();
    case "number":
    case "string":
      return literal(e.value, text);
    case "reference":
      return constantWord(e.name.text, text) ?? meaning.reference(e.name, text);
    case "member":
      return meaning.member(e, text);
    case "list": {
      const items = e.items.map(lower);
      const values = items.map((i) => (i.expr?.kind === "literal" ? i.expr.value : undefined));
      const problems = items.flatMap((i) => i.problems);
      if (problems.length > 0 || items.some((i) => i.expr === undefined)) return nothing(...problems);
      if (values.every((v) => v !== undefined)) return literal(values as Json[], text);
      const args = items.map((i) => i.expr!);
      return { expr: { kind: "call", fn: "list", args, text }, type: "list", problems: [] };
    }
    case "not":
    case "negate": {
      const operand = lower(e.operand);
      const wanted = e.kind === "not" ? "boolean" : "number";
      const problem = mismatch(operand, wanted, { path: source.path, span: e.operand.span }, e.kind);
      if (!operand.expr || problem) return nothing(...operand.problems, ...(problem ? [problem] : []));
      return { expr: { kind: e.kind, operand: operand.expr, text }, type: wanted, problems: [] };
    }
    case "binary":
      return lowerBinary(e, text, source, lower);
    case "call":
      return lowerCall(e, text, source, (x) => meaning.many?.(x) ?? [lower(x)]);
    case "pipe":
    case "cast":
      return nothing(notHere(at, "rows"));
    case "index":
      return nothing(notHere(at, "a member of a family"));
    case "except":
      return nothing(notHere(at, "a set"));
    case "object":
      return nothing(notHere(at, "a block"));
  }
}

export function constantWord(word: string, text: string): Lowered | undefined {
  if (word === "true" || word === "false") return literal(word === "true", text);
  if (word === "null") return literal(null, text);
  return undefined;
}

function lowerBinary(
  e: ast.Binary,
  text: string,
  source: Source,
  lower: (x: ast.Expression) => Lowered,
): Lowered {
  const left = lower(e.left);
  const right = lower(e.right);
  const problems = [...left.problems, ...right.problems];
  const place = (x: ast.Expression): Place => ({ path: source.path, span: x.span });
  const logical = e.op === "and" || e.op === "or";
  const equality = e.op === "==" || e.op === "!=";
  const ordering = ["<", "<=", ">", ">="].includes(e.op);
  if (logical) {
    for (const [side, x] of [
      [left, e.left],
      [right, e.right],
    ] as const) {
      const problem = mismatch(side, "boolean", place(x), e.op);
      if (problem) problems.push(problem);
    }
  } else {
    const strings = [left.type, right.type].every((t) => t === "string" || t === "any");
    const wanted: ValueType = (ordering || e.op === "+") && strings ? "string" : "number";
    if (equality) {
      if (left.type !== "any" && right.type !== "any" && left.type !== right.type) {
        problems.push(unlike(e, left.type, right.type, source));
      }
    } else {
      for (const [side, x] of [
        [left, e.left],
        [right, e.right],
      ] as const) {
        const problem = mismatch(side, wanted, place(x), e.op);
        if (problem) problems.push(problem);
      }
    }
  }
  if (problems.length > 0 || !left.expr || !right.expr) return nothing(...problems);
  const type = logical || equality || ordering ? "boolean" : left.type === "string" ? "string" : "number";
  return { expr: { kind: "binary", op: e.op, left: left.expr, right: right.expr, text }, type, problems: [] };
}

function lowerCall(
  e: ast.Call,
  text: string,
  source: Source,
  lower: (x: ast.Expression) => readonly Lowered[],
): Lowered {
  const fn = Object.hasOwn(functions, e.callee.text) ? functions[e.callee.text] : undefined;
  const at: Place = { path: source.path, span: e.callee.span };
  if (!fn) {
    return nothing(
      diagnose("AL0110", {
        title: `there is no function \`${e.callee.text}\``,
        at,
        label: "unknown function",
        ...didYouMean(e.callee.text, Object.keys(functions), at, (all) => `functions are ${listed(all, 20)}`),
      }),
    );
  }
  const lowered = e.args.map((a) => lower(a.value));
  const args = fn.many
    ? lowered.flat()
    : lowered.map((all) => (all.length === 1 ? all[0]! : nothing(oneWanted(e, source))));
  const problems = args.flatMap((a) => a.problems);
  const shape = `${e.callee.text}(${fn.takes.join(", ")}${fn.many ? ", …" : ""})`;
  const enough = fn.many ? args.length >= fn.takes.length : args.length === fn.takes.length;
  if (!enough) {
    const many = args.length > fn.takes.length;
    problems.push(
      diagnose(many ? "AL0204" : "AL0203", {
        title: `\`${shape}\` is given ${args.length} argument${args.length === 1 ? "" : "s"}`,
        at: { path: source.path, span: e.span },
        label: `${fn.takes.length} ${fn.takes.length === 1 ? "is" : "are"} wanted`,
        help: [`${e.callee.text}: ${fn.doc}`],
      }),
    );
  }
  for (const [i, arg] of args.entries()) {
    const wanted = fn.takes[fn.many ? 0 : i];
    const span = (e.args[i] ?? e.args.at(-1)!).value.span;
    const problem = wanted && mismatch(arg, wanted, { path: source.path, span }, e.callee.text);
    if (problem) problems.push(problem);
  }
  if (problems.length > 0 || args.some((a) => !a.expr)) return nothing(...problems);
  return {
    expr: { kind: "call", fn: e.callee.text, args: args.map((a) => a.expr!), text },
    type: fn.gives,
    problems: [],
  };
}

function mismatch(given: Lowered, wanted: ValueType, at: Place, by: string): Diagnostic | undefined {
  if (!given.expr || given.type === "any" || wanted === "any" || given.type === wanted) return undefined;
  if (wanted === "numbers" && (given.type === "number" || given.type === "list")) return undefined;
  const operator = by === "negate" ? "-" : by;
  return diagnose("AL0301", {
    title: `\`${operator}\` wants a ${wanted}, this is a ${given.type}`,
    at,
    label: `this is a ${given.type}`,
    help:
      wanted === "number" && given.type === "string"
        ? ["`length(…)` and `words(…)` make a number of a text"]
        : [`write a ${wanted} here`],
  });
}

function oneWanted(e: ast.Call, source: Source): Diagnostic {
  return diagnose("AL0204", {
    title: `\`${e.callee.text}\` takes one value at a time`,
    at: { path: source.path, span: e.span },
    label: "several are given",
    help: ["`mean`, `median`, `min` and `max` take all members of a family"],
  });
}

function unlike(e: ast.Binary, left: ValueType, right: ValueType, source: Source): Diagnostic {
  return diagnose("AL0301", {
    title: `a ${left} is never equal to a ${right}`,
    at: { path: source.path, span: e.right.span },
    label: `this is a ${right}`,
    related: [[{ path: source.path, span: e.left.span }, `this is a ${left}`]],
    help: ["compare values of one type"],
  });
}

function notHere(at: Place, what: string): Diagnostic {
  return diagnose("AL0301", {
    title: `${what} cannot stand in an expression`,
    at,
    label: "a value is expected here",
    help: ["expressions are made of numbers, texts, names, functions and operators"],
  });
}
