// What `expect` may read: metrics of stages, and params.
import * as ast from "./ast.ts";
import type { BoundNode } from "./bind.ts";
import { diagnose } from "./codes.ts";
import type { Context } from "./context.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { type Lowered, literal, lowerExpression, nothing } from "./expression.ts";
import { wholeFamily } from "./families.ts";
import type { Expr } from "./program.ts";
import { declaredAt, kindOf } from "./scope.ts";
import { didYouMean, listed, oneOf } from "./suggest.ts";

/** One, or where it reads members `d[*]`, one for each of them. */
export function lowerExpectation(e: ast.Expression, context: Context): readonly Lowered[] {
  const { runs, problems } = runsOf(e, context);
  if (problems.length > 0) return [nothing(...problems)];
  if (runs.length === 0) return [lowerOne(e, context, undefined)];
  return runs.map((run) => lowerOne(e, context, run));
}

function lowerOne(e: ast.Expression, context: Context, run: readonly string[] | undefined): Lowered {
  const lowered = lowerExpression(e, context.source, {
    reference: (name, text) => word(name, text, context),
    member: (m, text) => metric(m, text, context, run),
    many: (m) => (m.kind === "member" && isStarred(m) ? each(m, context) : undefined),
  });
  return lowered.expr && run ? { ...lowered, expr: spelt(lowered.expr, run) } : lowered;
}

/** In messages, the member that is meant. */
function spelt(expr: Expr, run: readonly string[]): Expr {
  const text = expr.text.replace(starred, () => `[${run.join(", ")}]`);
  switch (expr.kind) {
    case "binary":
      return { ...expr, text, left: spelt(expr.left, run), right: spelt(expr.right, run) };
    case "not":
    case "negate":
      return { ...expr, text, operand: spelt(expr.operand, run) };
    default:
      return { ...expr, text };
  }
}

/** `[*]` or `[*, *]` behind a name; inside a function it stays. */
const starred = /\[\s*\*(?:\s*,\s*\*)*\s*\]/g;

type Starred = ast.Member & { readonly object: ast.Index & { readonly object: ast.Reference } };

function isStarred(e: ast.Expression): e is Starred {
  return (
    e.kind === "member" &&
    e.object.kind === "index" &&
    e.object.object.kind === "reference" &&
    e.object.items.includes("*")
  );
}

/** The keys for which an expectation must hold: those of the families that it reads with `[*]` outside of functions. */
function runsOf(
  e: ast.Expression,
  context: Context,
): { runs: readonly (readonly string[])[]; problems: readonly Diagnostic[] } {
  const found: Starred[] = [];
  const collect = (x: ast.Expression): void => {
    if (isStarred(x)) found.push(x);
    else if (x.kind !== "call") for (const child of ast.children(x)) collect(child);
  };
  collect(e);
  const families = found.map((m) => {
    const { object, items } = m.object;
    const members = context.members(object.name.text, items) ?? [];
    return { m, keys: members.map((n) => Object.values(n.family?.values ?? {})) };
  });
  const [first] = families;
  const text = (keys: readonly (readonly string[])[]) => keys.map((k) => k.join(", ")).join("; ");
  const other = families.find((f) => first && text(f.keys) !== text(first.keys));
  if (!first || !other) return { runs: first?.keys ?? [], problems: [] };
  const problem = diagnose("AL0907", {
    title: "families with different members are read side by side",
    at: context.place(other.m.object.span),
    label: `members are ${text(other.keys)}`,
    related: [[context.place(first.m.object.span), `members are ${text(first.keys)}`]],
    help: ["read families over the same values, or one number of each: `mean(d[*].accuracy)`"],
  });
  return { runs: [], problems: [problem] };
}

/** The metric of every member, for a function of many numbers. */
function each(m: Starred, context: Context): readonly Lowered[] {
  const members = context.members(m.object.object.name.text, m.object.items) ?? [];
  return members.map((node) =>
    metric(m, `${node.id}.${m.name.text}`, context, Object.values(node.family!.values)),
  );
}

function word(name: ast.Name, text: string, context: Context): Lowered {
  const param = context.param(name.text);
  if (param) return param.evaluated.value === undefined ? nothing() : literal(param.evaluated.value, text);
  const at = context.place(name.span);
  const d = context.scope.names.get(name.text);
  if (!d && context.scope.lost.has(name.text)) return nothing();
  if (!d) {
    return nothing(
      diagnose("AL0101", {
        title: `\`${name.text}\` is not declared`,
        at,
        label: "unknown name",
        ...didYouMean(name.text, context.scope.names.keys(), at),
      }),
    );
  }
  if (context.family(name.text)) return nothing(...wholeFamily(name, context));
  const metrics = metricsOf(context.node(name.text));
  return nothing(
    diagnose("AL0505", {
      title: `\`${name.text}\` is ${kindOf(d)}, not a number`,
      at,
      label: "a metric is expected here",
      related: [[declaredAt(d), "declared here"]],
      help: [
        metrics.length > 0
          ? `read one of its metrics: ${oneOf(metrics.slice(0, 4).map((m) => `${name.text}.${m}`))}`
          : "`expect` reads metrics of stages, as in `result.win_rate > 50%`",
      ],
    }),
  );
}

function metric(m: ast.Member, text: string, context: Context, run?: readonly string[]): Lowered {
  if (m.object.kind === "index" && m.object.object.kind === "reference") {
    const { object, items } = m.object;
    const keys = run && items.includes("*") ? run.map(asKey) : items;
    const [member] = context.members(object.name.text, keys) ?? [];
    // Which member is meant is the business of a check of its own.
    if (!member)
      return context.scope.names.has(object.name.text) ? nothing() : word(object.name, text, context);
    return metricOf(member, m, object.name, text, context);
  }
  if (m.object.kind !== "reference") {
    return nothing(
      diagnose("AL0505", {
        title: `\`${text}\` is not a metric`,
        at: context.place(m.span),
        label: "a metric is written `stage.metric`",
        help: ["read a metric of a stage, as in `result.win_rate`"],
      }),
    );
  }
  const { name } = m.object;
  if (m.name.text === "") return nothing();
  const d = context.scope.names.get(name.text);
  if (!d) return word(name, text, context);
  if (context.family(name.text)) return nothing(...wholeFamily(name, context));
  return metricOf(context.node(name.text), m, name, text, context);
}

/** A key as it would be written between brackets. */
function asKey(key: string): ast.Expression {
  const value = key.startsWith('"') ? (JSON.parse(key) as string) : key;
  return { kind: "string", value, offsets: [], span: { start: 0, end: 0 } };
}

function metricOf(
  node: BoundNode | undefined,
  m: ast.Member,
  name: ast.Name,
  text: string,
  context: Context,
): Lowered {
  const at = context.place(m.name.span);
  const d = context.scope.names.get(name.text)!;
  const signature = node?.calls.at(-1)?.signature;
  if (node && !signature) return nothing();
  const metrics = metricsOf(node);
  if (node && metrics.includes(m.name.text)) {
    return { expr: { kind: "metric", node: node.id, name: m.name.text, text }, type: "number", problems: [] };
  }
  if (metrics.length === 0) {
    return nothing(
      diagnose("AL0505", {
        title: `${kindOf(d)} like \`${name.text}\` reports no metrics`,
        at: context.place(m.span),
        label: "not a metric",
        related: [[declaredAt(d), `declared here as ${kindOf(d)}`]],
        help: ["`expect` reads metrics of stages, as in `result.win_rate > 50%`"],
      }),
    );
  }
  return nothing(
    diagnose("AL0107", {
      title: `\`${signature!.name}\` reports no metric \`${m.name.text}\``,
      at,
      label: "unknown metric",
      related: [[declaredAt(d), `\`${name.text}\` is declared here`]],
      ...didYouMean(m.name.text, metrics, at, (all) => `metrics of \`${name.text}\` are ${listed(all)}`),
    }),
  );
}

function metricsOf(node: BoundNode | undefined): string[] {
  const declared = node?.calls.at(-1)?.signature?.metrics ?? {};
  return Object.keys({ ...declared, ...(node?.type.kind === "metrics" ? node.type.fields : {}) });
}
