// Metrics of free text: exact match and F1 of SQuAD, ROUGE of rouge-score, corpus BLEU of sacrebleu. Pure.

export const metricNames = ["exact_match", "f1", "rouge", "bleu", "loss"] as const;
export type MetricName = (typeof metricNames)[number];

/** SQuAD v1.1, evaluate-v1.1.py: lower case, no punctuation, no articles, single spaces. */
export function normalised(text: string): string {
  return text
    .toLowerCase()
    .replace(/[!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]/g, "")
    .replace(/(?<![\p{L}\p{N}_])(a|an|the)(?![\p{L}\p{N}_])/gu, " ")
    .split(/\s+/)
    .filter(Boolean)
    .join(" ");
}

export function exactMatch(answer: string, reference: string): number {
  return normalised(answer) === normalised(reference) ? 1 : 0;
}

/** Harmonic mean of precision and recall over words, counted as often as they come. */
export function f1(answer: string, reference: string): number {
  const [a, b] = [answer, reference].map((text) => normalised(text).split(" ").filter(Boolean)) as [
    string[],
    string[],
  ];
  const common = overlap(counts(a), counts(b));
  return common === 0 ? 0 : fMeasure(common / a.length, common / b.length);
}

/** rouge-score's tokens without its stemmer: runs of a-z and 0-9. */
const rougeTokens = (text: string) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** F-measure over runs of n words. */
export function rougeN(answer: string, reference: string, n: number): number {
  const [a, b] = [answer, reference].map((text) => counts(grams(rougeTokens(text), n))) as [Counts, Counts];
  const [inA, inB] = [total(a), total(b)];
  const common = overlap(a, b);
  return common === 0 ? 0 : fMeasure(common / inA, common / inB);
}

export function rougeL(answer: string, reference: string): number {
  const [a, b] = [rougeTokens(answer), rougeTokens(reference)];
  const common = longestCommonSubsequence(a, b);
  return common === 0 ? 0 : fMeasure(common / a.length, common / b.length);
}

function longestCommonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Uint32Array(b.length + 1);
  for (const word of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++) {
      next[j] = word === b[j - 1] ? row[j - 1]! + 1 : Math.max(row[j]!, next[j - 1]!);
    }
    row = next;
  }
  return row[b.length]!;
}

const order = 4;

/** What corpus BLEU needs of one row, so that resamples are sums. */
export interface BleuCounts {
  readonly matches: readonly number[];
  readonly totals: readonly number[];
  readonly length: number;
  /** Of the reference whose length is closest, the shorter of two. */
  readonly referenceLength: number;
}

export function bleuCounts(answer: string, references: readonly string[]): BleuCounts {
  const words = tokenize13a(answer);
  const others = references.map(tokenize13a);
  const matches: number[] = [];
  const totals: number[] = [];
  for (let n = 1; n <= order; n++) {
    const own = counts(grams(words, n));
    const most: Counts = new Map();
    for (const other of others)
      for (const [gram, count] of counts(grams(other, n)))
        most.set(gram, Math.max(count, most.get(gram) ?? 0));
    matches.push(overlap(own, most));
    totals.push(total(own));
  }
  const lengths = others
    .map(({ length }) => length)
    .sort((x, y) => Math.abs(x - words.length) - Math.abs(y - words.length) || x - y);
  return { matches, totals, length: words.length, referenceLength: lengths[0]! };
}

/** sacrebleu's default: exponential smoothing, brevity penalty; 0 to 100. */
export function bleu(rows: readonly BleuCounts[]): number {
  const sum = (pick: (row: BleuCounts) => number) => rows.reduce((s, row) => s + pick(row), 0);
  const [length, referenceLength] = [sum((row) => row.length), sum((row) => row.referenceLength)];
  let smooth = 1;
  let logs = 0;
  for (let n = 0; n < order; n++) {
    const [matched, of] = [sum((row) => row.matches[n]!), sum((row) => row.totals[n]!)];
    if (of === 0 || (n === 0 && matched === 0)) return 0;
    if (matched === 0) smooth *= 2;
    logs += Math.log(matched === 0 ? 100 / (smooth * of) : (100 * matched) / of);
  }
  const brevity = length < referenceLength ? Math.exp(1 - referenceLength / length) : 1;
  return brevity * Math.exp(logs / order);
}

/** mteval-v13a, as sacrebleu has it. */
export function tokenize13a(text: string): string[] {
  const plain = text
    .replaceAll("<skipped>", "")
    .replaceAll("-\n", "")
    .replaceAll("\n", " ")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
  return ` ${plain} `
    .replace(/([{-~[-` -&(-+:-@/])/g, " $1 ")
    .replace(/([^0-9])([.,])/g, "$1 $2 ")
    .replace(/([.,])([^0-9])/g, " $1 $2")
    .replace(/([0-9])(-)/g, "$1 $2 ")
    .split(/\s+/)
    .filter(Boolean);
}

type Counts = Map<string, number>;

function counts(items: readonly string[]): Counts {
  const found: Counts = new Map();
  for (const item of items) found.set(item, (found.get(item) ?? 0) + 1);
  return found;
}

function grams(words: readonly string[], n: number): string[] {
  const found: string[] = [];
  for (let i = 0; i + n <= words.length; i++) found.push(words.slice(i, i + n).join(" "));
  return found;
}

function overlap(a: Counts, b: Counts): number {
  let common = 0;
  for (const [item, count] of a) common += Math.min(count, b.get(item) ?? 0);
  return common;
}

const total = (of: Counts) => [...of.values()].reduce((s, count) => s + count, 0);
const fMeasure = (precision: number, recall: number) => (2 * precision * recall) / (precision + recall);
