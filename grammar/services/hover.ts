// What a name, an operation or a parameter is, in Markdown.
import { describe } from "../schema.ts";
import type { NamedDeclaration } from "../scope.ts";
import type { ParamSchema, Signature } from "../signature.ts";
import type { Span } from "../source.ts";
import { printType, type Type } from "../types.ts";
import { type Document, declarationBefore, nodesIn, occurrenceAt, touches } from "./document.ts";

export interface Hover {
  readonly span: Span;
  readonly text: string;
}

export function hover(document: Document, offset: number): Hover | undefined {
  const within = declarationBefore(document, offset);
  if (!within) return undefined;
  for (const call of nodesIn(within, document.context).flatMap((n) => n.calls)) {
    const { signature } = call;
    if (!signature) continue;
    if (touches(call.call.callee.span, offset))
      return { span: call.call.callee.span, text: operation(signature, call.output) };
    const value = call.values.find((v) => v.written && touches(v.written.span, offset));
    if (value?.written) return { span: value.written.span, text: parameter(value.name, value.schema) };
  }
  const at = occurrenceAt(document, offset);
  return at ? { span: at.span, text: declaration(document, at.target) } : undefined;
}

const code = (text: string) => `\`\`\`align\n${text}\n\`\`\``;
const paragraphs = (...all: (string | undefined)[]) => all.filter(Boolean).join("\n\n");

function operation(signature: Signature, output: Type): string {
  const inputs = signature.inputs.map((i) => `${i.name}${i.optional ? "?" : ""}: ${printType(i.type)}`);
  const type = output.kind === "any" ? "" : ` -> ${printType(output)}`;
  return paragraphs(code(`${signature.name}(${inputs.join(", ")})${type}`), signature.doc);
}

export function parameter(name: string, schema: ParamSchema): string {
  const source = schema["x-source"] ? ` (${schema["x-source"]})` : "";
  return paragraphs(
    code(`${name}: ${describe(schema)}`),
    schema.description,
    schema.default === undefined ? undefined : `Default: \`${JSON.stringify(schema.default)}\`${source}.`,
  );
}

function declaration({ context }: Document, d: NamedDeclaration): string {
  const node = context.node(d.name.text);
  const param = context.param(d.name.text);
  const value = param?.evaluated.value;
  const type = node
    ? `: ${printType(node.type)}`
    : param
      ? `: ${describe(param.schema)}${value === undefined ? "" : ` = ${JSON.stringify(value)}`}`
      : "";
  return paragraphs(code(`${d.kind} ${d.name.text}${type}`), d.doc);
}
