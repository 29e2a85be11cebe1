// Vocabularies of SentencePiece's BPE, as Llama 1 and 2 and Mistral have them: pieces with scores, and the merges that say the same.
import type { JsonObject } from "./tokenizer-files.ts";

export interface Piece {
  readonly text: string;
  /** The highest is merged first. */
  readonly score: number;
  /** Found in the text as it is, such as `<s>`, and never made of other pieces. */
  readonly whole: boolean;
}

/**
 * Pairs of pieces that make a piece, in the order in which they are merged: by score, the longer first among equals, as
 * transformers' `generate_merges` has them. `pieces` are in the order of their ids.
 */
export function mergesOf(pieces: readonly Piece[]): [string, string][] {
  const ids = new Map(pieces.flatMap(({ text, whole }, id) => (whole ? [] : [[text, id] as const])));
  const merges: { pair: [string, string]; score: number; lengths: readonly [number, number] }[] = [];
  for (const { text, score, whole } of pieces) {
    if (whole) continue;
    const characters = Array.from(text);
    const pairs: [string, string][] = [];
    for (let i = 1; i < characters.length; i++) {
      const pair: [string, string] = [characters.slice(0, i).join(""), characters.slice(i).join("")];
      if (ids.has(pair[0]) && ids.has(pair[1])) pairs.push(pair);
    }
    pairs.sort((a, b) => ids.get(a[0])! - ids.get(b[0])! || ids.get(a[1])! - ids.get(b[1])!);
    for (const pair of pairs)
      merges.push({ pair, score, lengths: [Array.from(pair[0]).length, Array.from(pair[1]).length] });
  }
  merges.sort((a, b) => b.score - a.score || b.lengths[0] - a.lengths[0] || b.lengths[1] - a.lengths[1]);
  return merges.map(({ pair }) => pair);
}

/** The score of what each merge makes: the earlier, the higher. */
export function scoresOf(merges: readonly (readonly [string, string])[]): Map<string, number> {
  const scores = new Map<string, number>();
  for (const [rank, pair] of merges.entries()) {
    const text = pair.join("");
    if (!scores.has(text)) scores.set(text, -rank);
  }
  return scores;
}

/** What of tokenizer.json turns text into pieces and back: a space is `▁`, what is no piece is spelt in bytes. */
export function wordsInPieces(spaceFirst: boolean) {
  const replace = (from: string, content: string) => ({
    type: "Replace",
    pattern: { String: from },
    content,
  });
  const sequence = (of: string, steps: readonly JsonObject[]) => ({ type: "Sequence", [of]: steps });
  return {
    normalizer: sequence("normalizers", [
      ...(spaceFirst ? [{ type: "Prepend", prepend: "▁" }] : []),
      replace(" ", "▁"),
    ]),
    pre_tokenizer: null,
    decoder: sequence("decoders", [
      replace("▁", " "),
      { type: "ByteFallback" },
      { type: "Fuse" },
      ...(spaceFirst ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : []),
    ]),
  };
}

/** Whether a tokenizer.json cuts text so, with a space put first or not; undefined for every other. */
export function spaceFirstIn(tokenizer: JsonObject): boolean | undefined {
  const { model, normalizer, pre_tokenizer: pre } = tokenizer as Record<string, Step | null>;
  if (model?.type !== "BPE" || model.byte_fallback !== true) return undefined;
  if (pre?.type === "Metaspace" && pre.split === false && !normalizer)
    return (pre.prepend_scheme ?? "always") !== "never";
  if (pre) return undefined;
  const steps = normalizer?.type === "Sequence" ? normalizer.normalizers! : normalizer ? [normalizer] : [];
  const spaces = steps.at(-1);
  if (spaces?.type !== "Replace" || spaces.pattern?.String !== " " || spaces.content !== "▁")
    return undefined;
  const before = steps.slice(0, -1);
  if (before.length === 0) return false;
  return before.length === 1 && before[0]!.type === "Prepend" && before[0]!.prepend === "▁"
    ? true
    : undefined;
}

interface Step {
  readonly type?: string;
  readonly byte_fallback?: boolean;
  readonly split?: boolean;
  readonly prepend_scheme?: string;
  readonly prepend?: string;
  readonly pattern?: { readonly String?: string };
  readonly content?: string;
  readonly normalizers?: readonly Step[];
}
