// The documentation of one pipeline: its graph, and every declaration with its comment, type and resolved parameters.
import {
  type Declaration,
  type File,
  type Json,
  type Program,
  type ProgramCall,
  type ProgramNode,
  type Provenance,
  printType,
  type Source,
} from "../../grammar/index.ts";
import { mermaid } from "../graph/mermaid.ts";
import { pictureOfProgram } from "../graph/picture.ts";
import { shownValue } from "../ui/format.ts";
import { origin } from "../ui/provenance.ts";
import { block, code, paragraphs, section, table } from "./markdown.ts";

const sections = [
  ["param", "Params"],
  ["dataset", "Datasets"],
  ["cluster", "Clusters"],
  ["mixture", "Mixtures"],
  ["template", "Templates"],
  ["model", "Models"],
  ["stage", "Stages"],
  ["profile", "Profiles"],
] as const;

export function pipelinePage(source: Source, file: File, program: Program): string {
  const named = new Map<string, ProgramNode>(program.nodes.map((node) => [node.id, node]));
  const body = (declaration: Declaration) => describe(declaration, source, named.get(declaration.name.text));
  return paragraphs(
    `# ${program.name}`,
    program.doc,
    program.profile === undefined ? undefined : `With profile ${code(program.profile)}.`,
    block("mermaid", mermaid(pictureOfProgram(program))),
    ...sections.map(([kind, title]) => {
      const of = file.declarations.filter((declaration) => declaration.kind === kind);
      return of.length === 0 ? undefined : section(`## ${title}`, of.map(body).join("\n\n"));
    }),
    section("## What must hold", expectations(program)),
    section("## What is published", publications(program)),
  );
}

function describe(declaration: Declaration, source: Source, node: ProgramNode | undefined): string {
  return paragraphs(
    `### ${declaration.name.text}`,
    declaration.doc,
    node && node.type.kind !== "any" ? code(printType(node.type)) : undefined,
    block("align", source.text.slice(declaration.span.start, declaration.span.end)),
    ...(node?.calls ?? []).map((call) => resolved(call, node!.calls.length > 1)),
  ).trimEnd();
}

/** Every parameter as it is used, those that were written down first. */
function resolved(call: ProgramCall, oneOfMany: boolean): string | undefined {
  const entries = Object.entries(call.params).sort(
    ([a], [b]) => Number(isDefault(call.provenance[a])) - Number(isDefault(call.provenance[b])),
  );
  const rows = entries.map(([name, value]) => [
    code(name),
    code(shown(value)),
    origin(call.provenance[name]),
  ]);
  return table([oneOfMany ? `${code(call.op)}` : "parameter", "value", "from"], rows);
}

function isDefault(provenance: Provenance | undefined): boolean {
  return provenance?.from === "default";
}

/** An expression over columns has the text it was written as. */
function shown(value: Json): string {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    const { kind, text } = value as { kind?: Json; text?: Json };
    if (typeof kind === "string" && typeof text === "string") return text;
  }
  return shownValue(value);
}

function expectations(program: Program): string | undefined {
  const rows = program.expectations.map(({ expr, message }) => [code(expr.text), message ?? ""]);
  return table(["expectation", ""], rows);
}

function publications(program: Program): string | undefined {
  return table(
    ["artifact", "folder"],
    program.publications.map(({ node, to }) => [code(node), code(to)]),
  );
}
