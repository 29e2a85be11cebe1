// What a name, an operation or a parameter is, in Markdown.
import { type Declaration, type Expression, expressionsOf, walk } from "../ast.ts";
import { functions } from "../functions.ts";
import { describe } from "../schema.ts";
import type { ParamSchema, Signature } from "../signature.ts";
import type { Span } from "../source.ts";
import { printRow, printType, type RowName, rows, type Type } from "../types.ts";
import {
  type Document,
  declarationBefore,
  nodesIn,
  type Occurrence,
  occurrenceAt,
  touches,
} from "./document.ts";

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
    const value = call.written.find((v) => v.written && touches(v.written.span, offset));
    if (value?.written) return { span: value.written.span, text: parameter(value.name, value.schema) };
  }
  const word = wordAt(within, document, offset);
  if (word) return word;
  const at = occurrenceAt(document, offset);
  return at ? { span: at.span, text: declaration(document, at) } : undefined;
}

/** A metric, a function, a column or the name of a row: words that no declaration stands behind. */
function wordAt(d: Declaration, { context }: Document, offset: number): Hover | undefined {
  const calls = nodesIn(d, context).flatMap((n) => n.calls);
  const rowAt = (e: Expression) =>
    calls.find(
      (c) =>
        c.row &&
        c.values.some(
          (v) => v.schema["x-align"] === "expression" && v.expression && contains(v.expression, e),
        ),
    )?.row;
  let found: Hover | undefined;
  const say = (span: Span, ...text: (string | undefined)[]) => {
    if (touches(span, offset)) found ??= { span, text: paragraphs(...text) };
  };
  const visit = (e: Expression): void => {
    if (e.kind === "member" && e.object.kind === "reference") {
      const { metrics = {} } = context.node(e.object.name.text)?.calls.at(-1)?.signature ?? {};
      const meaning = Object.hasOwn(metrics, e.name.text) ? metrics[e.name.text] : undefined;
      if (meaning) say(e.name.span, code(`${e.object.name.text}.${e.name.text}: number`), meaning);
    } else if (
      e.kind === "call" &&
      Object.hasOwn(functions, e.callee.text) &&
      !context.signatures.has(e.callee.text)
    ) {
      const { takes, gives, many, doc } = functions[e.callee.text]!;
      say(e.callee.span, code(`${e.callee.text}(${takes.join(", ")}${many ? ", …" : ""}) -> ${gives}`), doc);
    } else if (e.kind === "cast" && Object.hasOwn(rows, e.row.text)) {
      const { columns } = rows[e.row.text as RowName];
      const list = Object.entries(columns).map(([name, type]) => `${name}: ${type}`);
      say(e.row.span, code(`${e.row.text} { ${list.join(", ")} }`));
    } else if (e.kind === "reference" && touches(e.span, offset)) {
      const row = rowAt(e);
      const type = row && Object.hasOwn(row.columns, e.name.text) ? row.columns[e.name.text] : undefined;
      if (row && type) say(e.span, code(`${e.name.text}: ${type}`), `A column of ${printRow(row)}.`);
    }
  };
  for (const e of expressionsOf(d)) walk(e, visit);
  return found;
}

function contains(outer: Expression, inner: Expression): boolean {
  return outer.span.start <= inner.span.start && inner.span.end <= outer.span.end;
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

function declaration({ context }: Document, { target: d, name }: Occurrence): string {
  if (d.kind === "value") {
    const family = context.family(d.of.name.text);
    const values = family?.dimensions.find((x) => x.name === name)?.values ?? [];
    return code(`${name} in [${values.map(({ key }) => key).join(", ")}]`);
  }
  const family = context.family(name);
  if (family) {
    const members = family.members.map((m) => m.name).join("\n");
    return paragraphs(code(`${d.kind} ${name}: ${family.members.length} members\n${members}`), d.doc);
  }
  const node = context.node(name);
  const param = context.param(name);
  const value = param?.evaluated.value;
  const type = node
    ? `: ${printType(node.type)}`
    : param
      ? `: ${describe(param.schema)}${value === undefined ? "" : ` = ${JSON.stringify(value)}`}`
      : "";
  return paragraphs(code(`${d.kind} ${name}${type}`), d.doc);
}
