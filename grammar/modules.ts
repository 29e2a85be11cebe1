// The files of a program: the one that is checked and those that it imports, each read once, wherever they come from.
import type { ImportDeclaration } from "./ast.ts";
import { type Parsed, parse } from "./parse.ts";
import type { Host } from "./signature.ts";
import type { Source } from "./source.ts";

export interface Module {
  readonly source: Source;
  /** Resolves paths relative to this file. */
  readonly host: Host;
  readonly parsed: Parsed;
  /** What each `import` of it leads to. */
  readonly imports: ReadonlyMap<ImportDeclaration, ImportTarget>;
}

export type ImportTarget =
  | { readonly module: Module }
  | { readonly problem: string; readonly help?: string }
  /** Paths of the files that import each other, the first one again at the end. */
  | { readonly cycle: readonly string[] };

export function loadModules(source: Source, host: Host): Module {
  return load(source, host, new Map(), []);
}

/** Itself, then what it imports, each once. */
export function modulesOf(root: Module): readonly Module[] {
  const found = new Set([root]);
  for (const module of found)
    for (const target of module.imports.values()) if ("module" in target) found.add(target.module);
  return [...found];
}

function load(source: Source, host: Host, known: Map<string, Module>, path: readonly string[]): Module {
  const before = known.get(source.path);
  if (before) return before;
  const parsed = parse(source);
  const imports = new Map<ImportDeclaration, ImportTarget>();
  const here = [...path, source.path];
  for (const d of parsed.file.declarations) {
    if (d.kind !== "import" || !d.from || d.broken) continue;
    const found = host.module?.(d.from.value) ?? { problem: `"${d.from.value}" cannot be imported here` };
    if ("problem" in found) imports.set(d, found);
    else {
      const at = here.indexOf(found.source.path);
      imports.set(
        d,
        at === -1
          ? { module: load(found.source, found.host, known, here) }
          : { cycle: [...here.slice(at), found.source.path] },
      );
    }
  }
  const module = { source, host, parsed, imports };
  known.set(source.path, module);
  return module;
}
