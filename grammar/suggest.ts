// Nearest names: what was probably meant.
import { replacement } from "./codes.ts";
import type { Fix } from "./diagnostic.ts";
import type { Place } from "./source.ts";

/** Damerau-Levenshtein (optimal string alignment): edits and swaps of neighbours. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** At most three candidates, nearest first, none further than a third of the name's length. */
export function nearest(name: string, candidates: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(name.length / 3));
  const wanted = name.toLowerCase();
  return [...new Set(candidates)]
    .filter((candidate) => candidate !== name && Math.abs(candidate.length - name.length) <= limit)
    .map((candidate) => ({ candidate, d: distance(wanted, candidate.toLowerCase()) }))
    .filter(({ d }) => d <= limit)
    .sort((x, y) => x.d - y.d || (x.candidate < y.candidate ? -1 : 1))
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** Help and fixes for a name that does not exist, in one place so that they always agree. */
export function didYouMean(
  name: string,
  candidates: Iterable<string>,
  place: Place,
  otherwise?: (all: readonly string[]) => string | undefined,
): { help: string[]; fixes: Fix[] } {
  const all = [...new Set(candidates)];
  const near = nearest(name, all);
  if (near.length > 0) {
    return {
      help: [`did you mean ${oneOf(near)}?`],
      fixes: near.map((candidate) => replacement(place, candidate)),
    };
  }
  const help = otherwise?.(all);
  return { help: help === undefined ? [] : [help], fixes: [] };
}

/** `a`, `b` or `c` */
export function oneOf(names: readonly string[], word = "or"): string {
  const quoted = names.map((name) => `\`${name}\``);
  const last = quoted.pop();
  if (last === undefined) return "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} ${word} ${last}`;
}

/** The first few of many names, for a help line. */
export function listed(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown}, … (${names.length - most} more)` : shown;
}
