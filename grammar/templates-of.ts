// The templates that are written `for` a dataset, or for one that it is made of.
import type { Name } from "./ast.ts";
import type { BoundArgument, BoundNode } from "./bind.ts";
import type { Context } from "./context.ts";
import { scanTemplate } from "./jinja.ts";
import { modulesOf } from "./modules.ts";
import type { Json, Row } from "./types.ts";

/** Of each dataset, the texts of its templates, in the order of the files. */
export function templatesOf(
  datasets: readonly BoundArgument[],
  context: Context,
): readonly (readonly Json[])[] {
  const byId = known.get(context) ?? templatesById(context);
  known.set(context, byId);
  return datasets.map(({ node }) => {
    // What is made of a dataset has its templates, as long as the columns that they read are there.
    for (let at = node; at; at = at.from?.node) {
      const own = byId.get(at.id) ?? [];
      if (own.length > 0) return own.filter((texts) => reads(texts, node!));
    }
    return [];
  });
}

type Texts = { readonly [part: string]: string };

const known = new WeakMap<Context, ReadonlyMap<string, readonly Texts[]>>();

function templatesById(context: Context): Map<string, Texts[]> {
  const found = new Map<string, Texts[]>();
  for (const module of modulesOf(context.module)) {
    const home = context.contextOf(module);
    for (const d of home.file.declarations) {
      if (d.kind !== "template" || !d.rows || d.broken) continue;
      const texts = home.values.template(d.name.text) as Texts | undefined;
      if (texts === undefined) continue;
      const ids = new Set(d.rows.flatMap((name) => datasetsOf(name, home)).map((node) => node.id));
      for (const id of ids) found.set(id, [...(found.get(id) ?? []), texts]);
    }
  }
  return found;
}

/** What a template is for: a dataset, or each of a cluster. */
export function datasetsOf({ text }: Name, context: Context): readonly BoundNode[] {
  const node = context.node(text);
  return node ? [node] : context.cluster(text).flatMap((member) => member.node ?? []);
}

function reads(texts: Texts, { type }: BoundNode): boolean {
  if (type.kind !== "dataset") return true;
  const row: Row = type.row;
  return Object.values(texts).every((text) =>
    scanTemplate(text).variables.every(({ name }) => Object.hasOwn(row.columns, name)),
  );
}
