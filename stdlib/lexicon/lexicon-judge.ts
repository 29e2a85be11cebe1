// Scores a text by the values of its words.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Judge, JudgeFile } from "../judge/judges.ts";

export interface LexiconSettings {
  readonly aggregate: "mean" | "sum";
  readonly squash: "none" | "sigmoid";
  readonly scale: number;
  readonly negation: boolean;
}

/** judge.json */
export interface LexiconFile extends JudgeFile, LexiconSettings {
  readonly kind: "lexicon";
  readonly words: Readonly<Record<string, number>>;
}

export async function openLexicon(dir: string): Promise<Judge> {
  const file = JSON.parse(await readFile(join(dir, "judge.json"), "utf8")) as LexiconFile;
  const score = lexiconScore(file.words, file);
  return { kind: "lexicon", score: async ({ response }) => ({ score: score(response) }) };
}

/** Lower case, split at everything but letters, digits and inner apostrophes; symbols such as emoji are words too. */
export function tokensOf(text: string): string[] {
  const plain = text.toLowerCase().replaceAll("’", "'");
  return plain.match(/[\p{L}\p{N}]+(?:'[\p{L}\p{N}]+)*|\p{So}\p{M}*/gu) ?? [];
}

export function lexiconScore(
  words: Readonly<Record<string, number>>,
  settings: LexiconSettings,
): (text: string) => number {
  const values = new Map(Object.entries(words));
  const longest = Math.max(...[...values.keys()].map((phrase) => phrase.split(" ").length));

  return (text) => {
    const tokens = tokensOf(text);
    let sum = 0;
    for (let i = 0; i < tokens.length; ) {
      const { value, length } = phraseAt(tokens, i);
      const negated = settings.negation && i > 0 && isNegator(tokens[i - 1]!);
      if (value !== undefined) sum += negated ? -value : value;
      i += length;
    }
    const aggregate = settings.aggregate === "sum" ? sum : tokens.length === 0 ? 0 : sum / tokens.length;
    const scaled = settings.scale * aggregate;
    return settings.squash === "sigmoid" ? 1 / (1 + Math.exp(-scaled)) : scaled;
  };

  /** The longest phrase that starts here; one word without value otherwise. */
  function phraseAt(tokens: readonly string[], at: number): { value?: number; length: number } {
    for (let length = Math.min(longest, tokens.length - at); length > 0; length--) {
      const value = values.get(length === 1 ? tokens[at]! : tokens.slice(at, at + length).join(" "));
      if (value !== undefined) return { value, length };
    }
    return { length: 1 };
  }
}

function isNegator(word: string): boolean {
  return negators.has(word) || word.endsWith("n't");
}

const negators: ReadonlySet<string> = new Set(["not", "no", "never", "nor", "neither", "cannot", "without"]);
