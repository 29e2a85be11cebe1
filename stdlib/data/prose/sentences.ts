// Splits English prose into sentences.
import type { Rows, TransformRun } from "../../../engine/index.ts";
import { textIn } from "../row-text.ts";

interface Params {
  readonly min_words: number;
  readonly max_words?: number;
}

export const sentences: TransformRun<Params> = {
  async *transform(rows, { params }): Rows {
    const { min_words, max_words = Number.POSITIVE_INFINITY } = params;
    let number = 0;
    for await (const row of rows) {
      for (const text of sentencesOf(textIn(row, "text", ++number))) {
        const words = text.split(" ").length;
        if (words >= min_words && words <= max_words) yield { text };
      }
    }
  },
};

/** The finished sentences of a text, their white space single spaces. */
export function sentencesOf(text: string): string[] {
  const found: string[] = [];
  for (const paragraph of text.split(/\n[^\S\n]*(?:\n[^\S\n]*)+/)) {
    // A line that ends in a hyphen or dash goes on without a space.
    const line = paragraph
      .replace(/([-—])[^\S\n]*\n\s*/g, "$1")
      .replace(/\s+/g, " ")
      .trim();
    for (const sentence of split(line)) {
      if (finished.test(sentence) && /\p{Ll}/u.test(sentence)) found.push(sentence);
    }
  }
  return found;
}

const finished = /[.!?…]["'”’)\]]*$/;

function split(line: string): string[] {
  const found: string[] = [];
  let start = 0;
  for (const stop of line.matchAll(/([.!?…]+)(["'”’)\]]*) /g)) {
    const end = stop.index + stop[0].length - 1;
    const before = line.slice(start, stop.index);
    const after = line.slice(end + 1);
    if (!startsSentence.test(after)) continue;
    if (!/\p{L}/u.test(before)) continue; // "3. The third …"
    if (stop[1] === "." && isAbbreviation(before, after)) continue;
    found.push(line.slice(start, end));
    start = end + 1;
  }
  found.push(line.slice(start));
  return found;
}

const startsSentence = /^["'“‘([—-]*[\p{Lu}\p{N}]/u;

function isAbbreviation(before: string, after: string): boolean {
  const word = /[\p{L}.]+$/u.exec(before)?.[0] ?? "";
  const lower = word.toLowerCase();
  if (titles.has(lower)) return true;
  if (numbered.has(lower)) return /^\d/.test(after);
  // "J. Adams", "U.S. Senate", "Jr. Smith"; but "… the U.S. The next …".
  if (/^(?:\p{L}\.)*\p{Lu}$/u.test(word) || /^(?:\p{L}\.)+\p{L}$/u.test(word) || either.has(lower)) {
    return !starters.has(/^["'“‘([—-]*([\p{L}']+)/u.exec(after)?.[1] ?? "");
  }
  return false;
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.split(" "));
}

/** Always followed by what they belong to. */
const titles = words(
  "mr mrs ms messrs mme mlle dr st mt ft capt col gen lt maj sgt adm gov sen rep hon rev prof pres supt e.g i.e viz cf vs",
);

/** Abbreviations before a number. */
const numbered = words(
  "no nos vol vols fig figs art sec ch chap p pp jan feb mar apr jun jul aug sept oct nov dec",
);

/** In the middle of a sentence or at its end. */
const either = words("jr sr esq etc inc co corp ltd bros dept a.m p.m ph.d");

/** Words that begin a sentence far more often than they are a name. */
const starters = words(
  "The A An He She It They We You I In On At By For From But And Or So Yet This That These Those There Then Thus " +
    "As If When While What Who Where Why How Not No Our My His Her Its Their With To Of Now Let After Before Under Upon",
);
