// The ways to cut text into words before they are merged that are known by name: GPT-2's, SmolLM's, Llama 3's, Qwen 2's.
import { isDeepStrictEqual } from "node:util";
import { wordPattern } from "./bytes.ts";
import type { JsonObject } from "./tokenizer-files.ts";

export interface PreTokenizer {
  /** What llama.cpp calls it (`tokenizer.ggml.pre`); the first is written. */
  readonly names: readonly string[];
  /** As tokenizer.json has it. */
  readonly preTokenizer: JsonObject;
  readonly normalizer?: JsonObject;
  /** A word that is a token is not merged, even where merging would give another result. */
  readonly ignoreMerges?: boolean;
  /** Whether llama.cpp begins every text with bos where a file does not say. */
  readonly addBos?: boolean;
  words(text: string): readonly string[];
}

const byteLevel = (regex: boolean) => ({
  type: "ByteLevel",
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
});

const split = (pattern: string) => ({
  type: "Sequence",
  pretokenizers: [
    { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
    byteLevel(false),
  ],
});

/** The regular expression as tokenizer.json has it; `digits` is how many may stand together. */
const written = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

/** The same in JavaScript, whose `\s` is another set and which cannot ignore case in a part. U+017F is a small s too. */
function pattern(digits: string): RegExp {
  const s = "\\p{White_Space}";
  const endings = "'(?:[sS\\u017f]|[tT]|[rR][eE]|[vV][eE]|[mM]|[lL][lL]|[dD])";
  return new RegExp(
    `${endings}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}${digits}| ?[^${s}\\p{L}\\p{N}]+[\\r\\n]*|${s}*[\\r\\n]+|${s}+(?!(?!${s})[\\s\\S])|${s}+`,
    "gu",
  );
}

const gpt2 = wordPattern();
const threeDigits = pattern("{1,3}");
const oneDigit = pattern("");
const matches = (text: string, words: RegExp): readonly string[] => text.match(words) ?? [];

export const preTokenizers: readonly PreTokenizer[] = [
  {
    names: ["gpt-2", "default", "mpt", "olmo", "phi-2"],
    preTokenizer: byteLevel(true),
    words: (text) => matches(text, gpt2),
  },
  {
    names: ["smollm", "starcoder", "refact", "command-r", "codeshell", "exaone"],
    preTokenizer: {
      type: "Sequence",
      pretokenizers: [{ type: "Digits", individual_digits: true }, byteLevel(true)],
    },
    words: (text) => text.split(/(\p{N})/u).flatMap((part) => matches(part, gpt2)),
  },
  {
    names: ["llama-bpe", "llama3", "llama-v3", "falcon3"],
    preTokenizer: split(written("{1,3}")),
    ignoreMerges: true,
    addBos: true,
    words: (text) => matches(text, threeDigits),
  },
  {
    names: ["qwen2", "deepseek-r1-qwen", "megrez"],
    preTokenizer: split(written("")),
    normalizer: { type: "NFC" },
    words: (text) => matches(text.normalize("NFC"), oneDigit),
  },
];

/** That of a tokenizer.json, if it is a known one. */
export function preTokenizerOf(tokenizer: JsonObject): PreTokenizer | undefined {
  const model = tokenizer.model as JsonObject | undefined;
  return preTokenizers.find(
    (known) =>
      isDeepStrictEqual(essence(known.preTokenizer), essence(tokenizer.pre_tokenizer)) &&
      isDeepStrictEqual(known.normalizer ?? null, tokenizer.normalizer ?? null) &&
      (known.ignoreMerges ?? false) === (model?.ignore_merges ?? false),
  );
}

/** Without settings that change no ids. */
function essence(pre: unknown): unknown {
  if (pre === null || typeof pre !== "object") return pre;
  const { trim_offsets, use_regex = true, pretokenizers, ...settings } = pre as JsonObject;
  return {
    ...settings,
    ...(settings.type === "ByteLevel" ? { use_regex } : {}),
    ...(Array.isArray(pretokenizers) ? { pretokenizers: pretokenizers.map(essence) } : {}),
  };
}
