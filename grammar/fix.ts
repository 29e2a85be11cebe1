// Applies the fixes that diagnostics carry, where there is no doubt which one is meant.
import type { Diagnostic, Edit, Fix } from "./diagnostic.ts";
import type { Source } from "./source.ts";

/** One fix wanted for a text may uncover the next mistake; a file that needs more rounds needs a person. */
const mostRounds = 10;

export function applyOne(source: Source, fix: Fix): string {
  return edited(
    source.text,
    fix.edits.filter((e) => e.place.path === source.path),
  );
}

/** Fixes what has exactly one fix, checks again, and goes on while there are fewer problems than before. */
export function applyFixes(
  source: Source,
  check: (source: Source) => readonly Diagnostic[],
): { readonly text: string; readonly applied: number } {
  let text = source.text;
  let applied = 0;
  let found = check(source);
  for (let round = 0; round < mostRounds; round++) {
    const { edits, count } = compatible(found, source.path);
    if (count === 0) break;
    const fixed = edited(text, edits);
    const left = check({ ...source, text: fixed });
    if (progress(found) <= progress(left) && round > 0) break;
    text = fixed;
    applied += count;
    found = left;
  }
  return { text, applied };
}

/** Reading stops at the first kind of trouble, so what could not be read weighs more than what it hid. */
function progress(found: readonly Diagnostic[]): number {
  const unread = found.filter((d) => d.code < "AL0100").length;
  return unread * 1000 + found.length;
}

function compatible(found: readonly Diagnostic[], path: string): { edits: Edit[]; count: number } {
  const edits: Edit[] = [];
  let count = 0;
  for (const d of found) {
    const [fix] = d.fixes;
    if (!fix || d.fixes.length > 1 || fix.edits.some((e) => e.place.path !== path)) continue;
    if (fix.edits.some((e) => edits.some((other) => overlap(e, other)))) continue;
    edits.push(...fix.edits);
    count++;
  }
  return { edits, count };
}

function overlap(a: Edit, b: Edit): boolean {
  const [x, y] = [a.place.span, b.place.span];
  return x.start <= y.end && y.start <= x.end;
}

export function edited(text: string, edits: readonly Edit[]): string {
  return [...edits]
    .sort((a, b) => b.place.span.start - a.place.span.start)
    .reduce((t, e) => t.slice(0, e.place.span.start) + e.text + t.slice(e.place.span.end), text);
}
