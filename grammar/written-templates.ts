// The templates of a program, and the rows that they put into words: for people who want to see them.
import type { TemplateDeclaration } from "./ast.ts";
import type { Context } from "./context.ts";
import type { Program, ProgramNode, WrittenTemplate } from "./program.ts";
import { datasetsOf } from "./templates-of.ts";
import type { Json } from "./types.ts";

export function writtenTemplates(context: Context, nodes: readonly ProgramNode[]): WrittenTemplate[] {
  const declared = [...context.scope.names].filter(([, d]) => d.kind === "template");
  if (declared.length === 0) return [];
  const data = new Set(nodes.flatMap(({ id, type }) => (type.kind === "dataset" ? [id] : [])));
  const given = readTogether(nodes);
  return declared.flatMap(([name, d]): WrittenTemplate[] => {
    const imported = context.scope.imported.get(name);
    const home = imported ? context.contextOf(imported.module) : context;
    const texts = home.values.template(d.name.text);
    if (texts === undefined) return [];
    const rows = new Set([
      ...writtenFor(d as TemplateDeclaration, home),
      ...(given.get(JSON.stringify(texts)) ?? []),
    ]);
    return [{ name, texts, rows: [...rows].filter((id) => data.has(id)) }];
  });
}

function writtenFor({ rows = [] }: TemplateDeclaration, home: Context): string[] {
  return rows.flatMap((name) => datasetsOf(name, home).map((node) => node.id));
}

/** By the texts of a template, what calls read that were given them: their inputs, or what a dataset's first transform starts from. */
function readTogether(nodes: Program["nodes"]): ReadonlyMap<string, readonly string[]> {
  const read = new Map<string, string[]>();
  for (const { calls, from } of nodes) {
    for (const [i, { inputs, params }] of calls.entries()) {
      const refs = [...Object.values(inputs).flat(), ...(i === 0 && from ? [from] : [])];
      for (const texts of Object.values(params).flatMap(textsIn)) {
        const key = JSON.stringify(texts);
        read.set(key, [...(read.get(key) ?? []), ...refs.map((ref) => ref.node)]);
      }
    }
  }
  return read;
}

function textsIn(value: Json): Json[] {
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return value !== null && typeof value === "object" && "input" in value ? [value] : [];
}
