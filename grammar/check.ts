// Text → Program, or everything that is wrong with it.

import { applyProfile, profilesOf } from "./apply-profile.ts";
import type { File } from "./ast.ts";
import { checks } from "./checks/index.ts";
import { type Context, createContext } from "./context.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { lower } from "./lower.ts";
import { type Parsed, parse } from "./parse.ts";
import type { Program } from "./program.ts";
import type { Host, Library } from "./signature.ts";
import { positionAt, type Source, type Span } from "./source.ts";

export interface CheckOptions {
  readonly profile?: string | undefined;
  /** `--set name=value`, values as written. */
  readonly set?: Readonly<Record<string, string>> | undefined;
}

export interface Checked {
  /** Present when there is no error. */
  readonly program?: Program;
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
}

export function check(source: Source, library: Library, host: Host, options: CheckOptions = {}): Checked {
  return analyze(source, library, host, options).checked();
}

/** What is known of a text: read and bound at once, checked when somebody asks. */
export interface Analysis {
  readonly parsed: Parsed;
  readonly context: Context;
  checked(): Checked;
}

export function analyze(source: Source, library: Library, host: Host, options: CheckOptions = {}): Analysis {
  const parsed = parse(source);
  const contextFor = (file: File, profile: string | undefined, base?: Context): Context => {
    const chosen = {
      ...(profile === undefined ? {} : { profile }),
      ...(options.set ? { set: options.set } : {}),
    };
    return createContext(source, file, parsed.file, library, host, chosen, base);
  };
  const chosen = profilesOf(parsed.file).find((p) => p.name.text === options.profile);
  const context = contextFor(chosen ? applyProfile(parsed.file, chosen) : parsed.file, options.profile);
  let checked: Checked | undefined;
  return {
    parsed,
    context,
    checked() {
      checked ??= judge();
      return checked;
    },
  };

  function judge(): Checked {
    const found = [...parsed.diagnostics, ...checks.flatMap((c) => c(context))];
    // What a profile would break is known before anyone runs it.
    for (const profile of profilesOf(parsed.file)) {
      if (profile === chosen) continue;
      const other = contextFor(applyProfile(parsed.file, profile), profile.name.text, context);
      const within = (d: Diagnostic) => inside(d, source.path, profile.span);
      found.push(...checks.flatMap((c) => c(other)).filter(within));
    }
    const diagnostics = arrange(found, source);
    const failed = diagnostics.some((d) => d.severity === "error");
    return failed ? { diagnostics } : { program: lower(context), diagnostics };
  }
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
  const order = (d: Diagnostic) =>
    d.labels[0]?.place.path === source.path ? d.labels[0].place.span.start : -1;
  return [...once.values()].sort((a, b) => order(a) - order(b));
}
