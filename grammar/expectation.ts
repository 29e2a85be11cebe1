// What `expect` may read: metrics of stages, and params.
import type * as ast from "./ast.ts";
import { diagnose } from "./codes.ts";
import type { Context } from "./context.ts";
import { type Lowered, literal, lowerExpression, nothing } from "./expression.ts";
import { kindOf } from "./scope.ts";
import { didYouMean, listed, oneOf } from "./suggest.ts";

export function lowerExpectation(e: ast.Expression, context: Context): Lowered {
  return lowerExpression(e, context.source, {
    reference: (name, text) => word(name, text, context),
    member: (m, text) => metric(m, text, context),
  });
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
  const metrics = metricsOf(name.text, context);
  return nothing(
    diagnose("AL0505", {
      title: `\`${name.text}\` is ${kindOf(d)}, not a number`,
      at,
      label: "a metric is expected here",
      related: [[context.place(d.name.span), "declared here"]],
      help: [
        metrics.length > 0
          ? `read one of its metrics: ${oneOf(metrics.slice(0, 4).map((m) => `${name.text}.${m}`))}`
          : "`expect` reads metrics of stages, as in `result.win_rate > 50%`",
      ],
    }),
  );
}

function metric(m: ast.Member, text: string, context: Context): Lowered {
  const at = context.place(m.name.span);
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
  const node = context.node(name.text);
  const signature = node?.calls.at(-1)?.signature;
  if (node && !signature) return nothing();
  const metrics = metricsOf(name.text, context);
  if (node && metrics.includes(m.name.text)) {
    return { expr: { kind: "metric", node: node.id, name: m.name.text, text }, type: "number", problems: [] };
  }
  if (metrics.length === 0) {
    return nothing(
      diagnose("AL0505", {
        title: `${kindOf(d)} like \`${name.text}\` reports no metrics`,
        at: context.place(m.span),
        label: "not a metric",
        related: [[context.place(d.name.span), `declared here as ${kindOf(d)}`]],
        help: ["`expect` reads metrics of stages, as in `result.win_rate > 50%`"],
      }),
    );
  }
  return nothing(
    diagnose("AL0107", {
      title: `\`${signature!.name}\` reports no metric \`${m.name.text}\``,
      at,
      label: "unknown metric",
      related: [[context.place(d.name.span), `\`${name.text}\` is declared here`]],
      ...didYouMean(m.name.text, metrics, at, (all) => `metrics of \`${name.text}\` are ${listed(all)}`),
    }),
  );
}

function metricsOf(name: string, context: Context): string[] {
  const node = context.node(name);
  const declared = node?.calls.at(-1)?.signature?.metrics ?? {};
  return Object.keys({ ...declared, ...(node?.type.kind === "metrics" ? node.type.fields : {}) });
}
