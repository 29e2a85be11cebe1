// Trains a byte-level BPE vocabulary (Sennrich et al. 2016; bytes as in GPT-2): count words, then merge the
// most frequent neighbours again and again. The merges equal those of HF tokenizers' BpeTrainer on the same text.
import { byteToChar, toByteChars, wordPattern } from "./bytes.ts";
import { priorityQueue } from "./priority-queue.ts";

export interface BpeOptions {
  /** Tokens in all: special tokens, the 256 bytes and the merges. */
  vocabSize: number;
  /** A pair seen less often is not merged. */
  minFrequency: number;
  /** They come first in the vocabulary, in this order. */
  specialTokens: readonly string[];
  progress?: (done: number, total: number) => void;
}

export interface Bpe {
  /** Token to id; ids are 0..size-1 without holes. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly merges: readonly (readonly [string, string])[];
  readonly specialTokens: readonly string[];
  /** Of the training text, for the compression rate. */
  readonly trained: { readonly words: number; readonly bytes: number; readonly tokens: number };
}

/** How often each pre-token occurs. */
export interface WordCounter {
  add(text: string): void;
  readonly counts: ReadonlyMap<string, number>;
}

export function wordCounter(): WordCounter {
  const counts = new Map<string, number>();
  const pattern = wordPattern();
  return {
    counts,
    add(text) {
      for (const word of text.match(pattern) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    },
  };
}

/** A pair, how often it was seen when it was queued, and the words that it was seen in. */
interface Candidate {
  left: number;
  right: number;
  count: number;
  words: Set<number>;
}

export function trainBpe(counts: ReadonlyMap<string, number>, options: BpeOptions): Bpe {
  const { vocabSize, minFrequency } = options;
  const special = [...new Set(options.specialTokens)];

  const vocab = new Map<string, number>();
  const tokens: string[] = [];
  const idOf = (token: string): number => {
    const known = vocab.get(token);
    if (known !== undefined) return known;
    vocab.set(token, tokens.length);
    return tokens.push(token) - 1;
  };
  for (const token of special) idOf(token);
  for (const char of [...byteToChar].sort()) idOf(char);

  const words: number[][] = [];
  const frequency: number[] = [];
  let bytes = 0;
  for (const [word, count] of counts) {
    const ids = Array.from(toByteChars(word), idOf);
    words.push(ids);
    frequency.push(count);
    bytes += ids.length * count;
  }

  // A pair as one number; ids stay below the vocabulary's final size.
  const span = Math.max(vocabSize, tokens.length) + 1;
  const pairCount = new Map<number, number>();
  let seenIn = new Map<number, Set<number>>();
  const count = (pair: number, by: number, word: number): void => {
    pairCount.set(pair, (pairCount.get(pair) ?? 0) + by);
    if (by < 0) return;
    const where = seenIn.get(pair);
    if (where) where.add(word);
    else seenIn.set(pair, new Set([word]));
  };
  for (const [w, word] of words.entries()) {
    for (let i = 0; i + 1 < word.length; i++) count(word[i]! * span + word[i + 1]!, frequency[w]!, w);
  }

  // The most frequent pair first; among equals the one with the lowest ids.
  const queue = priorityQueue<Candidate>((a, b) => {
    if (a.count !== b.count) return a.count > b.count;
    return a.left !== b.left ? a.left < b.left : a.right < b.right;
  });
  const enqueue = (): void => {
    for (const [pair, where] of seenIn) {
      const total = pairCount.get(pair)!;
      if (total > 0) {
        queue.push({ left: Math.floor(pair / span), right: pair % span, count: total, words: where });
      }
    }
    seenIn = new Map();
  };
  enqueue();

  // A pair can come up twice when its token was also reached another way; its last place counts.
  const merges = new Map<number, readonly [string, string]>();
  const first = tokens.length;
  while (tokens.length < vocabSize) {
    const best = queue.pop();
    if (!best) break;
    const { left, right } = best;
    const pair = left * span + right;
    const now = pairCount.get(pair)!;
    if (now !== best.count) {
      best.count = now;
      queue.push(best);
      continue;
    }
    if (now < 1 || now < minFrequency) break;
    const merged = idOf(tokens[left]! + tokens[right]!);
    merges.delete(pair);
    merges.set(pair, [tokens[left]!, tokens[right]!]);
    for (const w of best.words)
      mergeIn(words[w]!, left, right, merged, (l, r, by) => {
        count(l * span + r, by * frequency[w]!, w);
      });
    enqueue();
    if (merges.size % 256 === 0) options.progress?.(tokens.length - first, vocabSize - first);
  }

  let total = 0;
  for (const [w, word] of words.entries()) total += word.length * frequency[w]!;
  return {
    vocab,
    merges: [...merges.values()],
    specialTokens: special,
    trained: { words: words.length, bytes, tokens: total },
  };
}

/** Replaces left, right by merged in one word, in place, reporting the pairs that went and came. */
function mergeIn(
  word: number[],
  left: number,
  right: number,
  merged: number,
  changed: (left: number, right: number, by: 1 | -1) => void,
): void {
  for (let i = 0; i + 1 < word.length; i++) {
    if (word[i] !== left || word[i + 1] !== right) continue;
    if (i > 0) {
      changed(word[i - 1]!, left, -1);
      changed(word[i - 1]!, merged, 1);
    }
    word.splice(i, 2, merged);
    if (i + 1 < word.length) {
      changed(right, word[i + 1]!, -1);
      changed(merged, word[i + 1]!, 1);
    }
  }
}
