// Text → Program, or everything that is wrong with it.

import { profilesOf } from "./apply-profile.ts";
import { checks } from "./checks/index.ts";
import { type Context, type ContextOptions, createContext } from "./context.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { lower } from "./lower.ts";
import { loadModules, type Module, modulesOf } from "./modules.ts";
import type { Program } from "./program.ts";
import type { Host, Library } from "./signature.ts";
import { positionAt, type Source, type Span } from "./source.ts";

/** `set` is `--set name=value`, values as written. */
export type CheckOptions = ContextOptions;

export interface Checked {
  /** Present when there is no error. */
  readonly program?: Program;
  /** In the order of the file; then those of the files that it imports. */
  readonly diagnostics: readonly Diagnostic[];
  /** The file and those that it imports: what diagnostics point into. */
  readonly sources: readonly Source[];
}

export function check(source: Source, library: Library, host: Host, options: CheckOptions = {}): Checked {
  return analyze(source, library, host, options).checked();
}

/** What is known of a text: read and bound at once, checked when somebody asks. */
export interface Analysis {
  readonly context: Context;
  checked(): Checked;
}

export function analyze(source: Source, library: Library, host: Host, options: CheckOptions = {}): Analysis {
  const root = loadModules(source, host);
  const context = createContext(root, library, options);
  let checked: Checked | undefined;
  return {
    context,
    checked() {
      checked ??= judge();
      return checked;
    },
  };

  function judge(): Checked {
    const found = [...root.parsed.diagnostics, ...checks.flatMap((c) => c(context))];
    // What a profile would break is known before anyone runs it.
    for (const profile of profilesOf(root.parsed.file)) {
      if (profile.name.text === options.profile) continue;
      const other = createContext(root, library, { ...options, profile: profile.name.text }, context);
      const within = (d: Diagnostic) => inside(d, source.path, profile.span);
      found.push(...checks.flatMap((c) => c(other)).filter(within));
    }
    const modules = modulesOf(root);
    const diagnostics = arrange([...found, ...errorsElsewhere(modules.slice(1), context)], source);
    const sources = modules.map((m) => m.source);
    const failed = diagnostics.some((d) => d.severity === "error");
    return failed ? { diagnostics, sources } : { program: lower(context), diagnostics, sources };
  }
}

/** A file that is imported is judged as a whole when it is checked itself; here only what makes it unusable counts. */
function errorsElsewhere(modules: readonly Module[], root: Context): Diagnostic[] {
  return modules.flatMap((module) => {
    const context = root.contextOf(module);
    const found = [...module.parsed.diagnostics, ...checks.flatMap((c) => c(context))];
    return arrange(found, module.source).filter((d) => d.severity === "error");
  });
}

function inside(d: Diagnostic, path: string, span: Span): boolean {
  const at = d.labels[0]?.place;
  return at?.path === path && at.span.start >= span.start && at.span.end <= span.end;
}

/** The same problem in one more place, which every fix then changes too. */
function alsoAt(first: Diagnostic, again: Diagnostic, source: Source): Diagnostic {
  const place = again.labels[0]?.place;
  const known = [
    first.labels[0]?.place.span.start,
    ...(first.fixes[0]?.edits.map((e) => e.place.span.start) ?? []),
  ];
  if (!place || place.path !== source.path || known.includes(place.span.start)) return first;
  const { line } = positionAt(source, place.span.start);
  const said = first.notes.find((n) => n.startsWith("also on line"));
  const note = said ? `${said.replace("line ", "lines ")}, ${line}` : `also on line ${line}`;
  return {
    ...first,
    notes: [...first.notes.filter((n) => n !== said), note],
    fixes: first.fixes.flatMap((fix) => {
      const same = again.fixes.find((f) => f.title === fix.title);
      return same ? [{ ...fix, edits: [...fix.edits, ...same.edits] }] : [];
    }),
  };
}

/** In order of place, each once; warnings wait until there are no errors that may explain them. */
function arrange(found: readonly Diagnostic[], source: Source): Diagnostic[] {
  const failed = found.some((d) => d.severity === "error");
  const once = new Map<string, Diagnostic>();
  for (const d of found) {
    const at = d.labels[0]?.place;
    // One unknown name is one problem, wherever it is read.
    const where = d.code === "AL0101" ? "" : `${at?.path} ${at?.span.start}`;
    const key = `${d.code} ${where} ${d.title}`;
    const before = d.code === "AL0101" ? once.get(key) : undefined;
    if (before) once.set(key, alsoAt(before, d, source));
    else if (!once.has(key) && !(failed && d.severity === "warning")) once.set(key, d);
  }
  // First the command line, then the file, then those it imports.
  const order = (d: Diagnostic) => {
    const at = d.labels[0]?.place;
    if (at?.path === source.path) return at.span.start;
    return at?.path.startsWith("--") ? -1 : Number.POSITIVE_INFINITY;
  };
  // What nothing reads is often a consequence of something else, so it comes last.
  const last = (d: Diagnostic) => (d.code === "AL0502" ? 1 : 0);
  const place = (a: Diagnostic, b: Diagnostic) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0);
  return [...once.values()].sort((a, b) => last(a) - last(b) || place(a, b));
}
