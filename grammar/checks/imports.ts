// Imports lead to files, and name what those export; what is imported is read.
import type { ImportDeclaration, ImportedName } from "../ast.ts";
import { diagnose } from "../codes.ts";
import type { Context } from "../context.ts";
import type { Diagnostic } from "../diagnostic.ts";
import { type ImportTarget, type Module, modulesOf } from "../modules.ts";
import { exportedBy, isNamed, kindOf } from "../scope.ts";
import { didYouMean, listed } from "../suggest.ts";
import type { Check } from "./check.ts";
import { everyNameRead } from "./unused.ts";

export const imports: Check = (context) => {
  if (!context.original.declarations.some((d) => d.kind === "import")) return [];
  const read = everyNameRead(context.original);
  return context.original.declarations.flatMap((d) => {
    if (d.kind !== "import" || d.broken || !d.from) return [];
    return [...target(d, context), ...d.names.flatMap((one) => unread(one, d, read, context))];
  });
};

function target(d: ImportDeclaration, context: Context): Diagnostic[] {
  const found = context.module.imports.get(d);
  if (!found || !d.from) return [];
  const at = context.place(d.from.span);
  const cycle = cycleThrough(found, context.source.path);
  if (cycle) {
    return [
      diagnose("AL0803", {
        title: "files import each other",
        at,
        label: cycle.length === 2 ? "this file imports itself" : "this leads back here",
        notes: [cycle.join(" imports ")],
        help: ["move what both need into a third file"],
      }),
    ];
  }
  // Said in the file where it starts.
  if ("cycle" in found) return [];
  if ("problem" in found) {
    return [
      diagnose("AL0801", {
        title: found.problem,
        at,
        label: "nothing to import from",
        help: [found.help ?? 'a file is imported by its path, as in "./models.align"'],
      }),
    ];
  }
  return d.names.flatMap((one) => notExported(one, d, found.module, context));
}

/** The way back to this file, if what it imports leads there. */
function cycleThrough(target: ImportTarget, path: string): readonly string[] | undefined {
  if ("cycle" in target) return target.cycle.length === 2 ? target.cycle : undefined;
  if ("problem" in target) return undefined;
  for (const module of modulesOf(target.module))
    for (const next of module.imports.values())
      if ("cycle" in next && next.cycle[0] === path) return next.cycle;
  return undefined;
}

function notExported(
  one: ImportedName,
  d: ImportDeclaration,
  module: Module,
  context: Context,
): Diagnostic[] {
  if (exportedBy(d, one, context.module.imports) || one.name.text === "") return [];
  const { file } = module.parsed;
  const at = context.place(one.name.span);
  const declared = file.declarations.find((x) => isNamed(x) && x.name.text === one.name.text);
  if (!declared && file.lost.has(one.name.text)) return [];
  if (declared) {
    const start = {
      path: module.source.path,
      span: { start: declared.span.start, end: declared.span.start },
    };
    return [
      diagnose("AL0802", {
        title: `${module.source.path} does not export \`${one.name.text}\``,
        at,
        label: "declared there, but not exported",
        related: [[{ path: module.source.path, span: declared.name.span }, "this is its declaration"]],
        help: [`write \`export\` before it: \`export ${declared.kind} ${one.name.text} …\``],
        fixes: [{ title: "insert `export`", edits: [{ place: start, text: "export " }] }],
      }),
    ];
  }
  const names = exportsOf(module);
  return [
    diagnose("AL0802", {
      title: `${module.source.path} exports no \`${one.name.text}\``,
      at,
      label: "unknown export",
      ...didYouMean(one.name.text, names, at, () =>
        names.length > 0
          ? `it exports ${listed(names)}`
          : "it exports nothing: write `export` before a declaration",
      ),
    }),
  ];
}

function exportsOf(module: Module): string[] {
  return module.parsed.file.declarations.flatMap((d) => (isNamed(d) && d.exported ? [d.name.text] : []));
}

function unread(
  { local }: ImportedName,
  d: ImportDeclaration,
  read: ReadonlySet<string>,
  context: Context,
): Diagnostic[] {
  const imported = context.scope.imported.get(local.text);
  if (!imported || imported.local !== local || read.has(local.text)) return [];
  return [
    diagnose("AL0804", {
      title: `nothing reads \`${local.text}\``,
      at: context.place(local.span),
      label: `${kindOf(imported.declaration)} imported in vain`,
      help: [d.names.length === 1 ? "remove the import" : `remove \`${local.text}\` from the import`],
    }),
  ];
}
