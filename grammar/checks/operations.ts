// Operations exist and stand where their kind may stand.
import type { BoundNode } from "../bind.ts";
import type { BoundCall } from "../bind-call.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { textOf } from "../expression.ts";
import type { OperationKind, Signature } from "../signature.ts";
import { didYouMean, listed } from "../suggest.ts";
import { type Check, everyCall } from "./check.ts";

const whatIs: Readonly<Record<OperationKind, string>> = {
  source: "a source of rows",
  transform: "a transform of rows",
  model: "a kind of model",
  mixture: "a mixture of datasets",
  stage: "a stage",
};

export const operations: Check = (context) => [
  ...everyCall(context, (call, node) =>
    call.signature ? wrongPlace(call, call.signature, node, context) : unknown(call, context),
  ),
  ...context.own().flatMap((node) => misshapen(node, context)),
];

function unknown({ call, roles }: BoundCall, context: Context): Diagnostic[] {
  const name = call.callee.text;
  if (name === "") return [];
  const at = context.place(call.callee.span);
  const names = (fitting: boolean) =>
    [...context.signatures.values()].filter((s) => !fitting || roles.includes(s.kind)).map((s) => s.name);
  const near = didYouMean(name, names(true), at);
  const best =
    near.fixes.length > 0
      ? near
      : didYouMean(name, names(false), at, () => `${plural(roles)} are ${listed(names(true))}`);
  return [
    diagnose("AL0103", {
      title: `there is no ${roles.length === 1 ? noun[roles[0]!] : "operation"} \`${name}\``,
      at,
      label: "unknown operation",
      ...best,
    }),
  ];
}

const noun: Readonly<Record<OperationKind, string>> = {
  source: "source of rows",
  transform: "transform",
  model: "model operation",
  mixture: "mixture operation",
  stage: "stage operation",
};

function plural(roles: readonly OperationKind[]): string {
  const nouns = {
    source: "sources of rows",
    transform: "transforms",
    model: "model operations",
    mixture: "mixture operations",
    stage: "stage operations",
  };
  return roles.length === 1 ? nouns[roles[0]!] : "operations";
}

function wrongPlace(
  { call, roles }: BoundCall,
  signature: Signature,
  node: BoundNode,
  context: Context,
): Diagnostic[] {
  // What is wrong with the whole of it is said instead.
  if (roles.includes(signature.kind) || node.misshapen) return [];
  const declared = node.declaration;
  const keyword = declared && { start: declared.span.start, end: declared.span.start + declared.kind.length };
  const kind = signature.kind === "source" || signature.kind === "transform" ? "dataset" : signature.kind;
  const pipes = roles.includes("transform");
  const simple = declared && !pipes && signature.kind !== "transform" && declared.value?.kind === "call";
  const how =
    signature.kind === "transform"
      ? `write \`rows |> ${signature.name}(…)\``
      : simple
        ? `write \`${kind} ${declared.name.text} = ${signature.name}(…)\``
        : `give it a declaration of its own: \`${kind} NAME = ${signature.name}(…)\``;
  return [
    diagnose("AL0201", {
      title: `\`${signature.name}\` is ${whatIs[signature.kind]}, ${roles.length === 1 ? `${whatIs[roles[0]!]} is wanted` : "rows, a model or a stage are wanted"}`,
      at: context.place(call.callee.span),
      label: `this is ${whatIs[signature.kind]}`,
      related: simple && keyword ? [[context.place(keyword), `declared as a ${declared.kind}`]] : [],
      help: [how],
      fixes:
        simple && keyword
          ? [{ title: `replace with \`${kind}\``, edits: [{ place: context.place(keyword), text: kind }] }]
          : [],
    }),
  ];
}

/** `stage s = rows |> judge(by: j)` */
function chained(node: BoundNode, context: Context): string {
  const last = node.calls.at(-1);
  const rows = node.declaration?.value;
  if (last?.signature?.kind === node.kind && node.calls.length === 1 && rows?.kind === "pipe") {
    const args = last.call.args.map((a) => textOf(context.source, a.span));
    const given = [textOf(context.source, rows.input.span), ...args].join(", ");
    return `give it the rows as an argument: \`${last.signature.name}(${given})\``;
  }
  return "name the rows in a dataset, and pass that to the operation";
}

function misshapen(node: BoundNode, context: Context): Diagnostic[] {
  if (!node.misshapen) return [];
  const { at, what } = node.misshapen;
  const d = node.declaration;
  if (!d || d.kind === "dataset") {
    return [
      diagnose("AL0202", {
        title: `a dataset is made of rows, this is ${what}`,
        at,
        label: `this is ${what}`,
        help: ["start with a source of rows, or with the name of a dataset or of a stage that makes one"],
      }),
    ];
  }
  const names = [...context.signatures.values()].filter((s) => s.kind === d.kind).map((s) => s.name);
  return [
    diagnose("AL0201", {
      title: `a ${d.kind} is one operation, this is ${what}`,
      at,
      label: `\`${d.kind} ${d.name.text} = operation(…)\` is expected`,
      help: [what === "a chain" ? chained(node, context) : `operations for a ${d.kind} are ${listed(names)}`],
    }),
  ];
}
