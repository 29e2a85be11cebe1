// A trained BPE vocabulary as the two files that HF libraries read: tokenizer.json and tokenizer_config.json.
import type { Bpe } from "./bpe-train.ts";

export type JsonObject = { [key: string]: unknown };

export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: JsonObject;
  /** tokenizer_config.json */
  readonly config: JsonObject;
}

export interface SpecialRoles {
  readonly eos: string;
  /** The end of text by default, as GPT-2 has it. */
  readonly bos?: string;
  readonly pad?: string;
  readonly chatTemplate?: string;
}

export function tokenizerFiles(bpe: Bpe, roles: SpecialRoles): TokenizerFiles {
  const added = bpe.specialTokens.map((content) => specialToken(bpe.vocab.get(content)!, content));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const tokenizer = {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(bpe.vocab),
      merges: bpe.merges,
    },
  };
  const config = {
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
    add_bos_token: false,
    add_prefix_space: false,
    bos_token: roles.bos ?? roles.eos,
    eos_token: roles.eos,
    pad_token: roles.pad ?? roles.eos,
    clean_up_tokenization_spaces: false,
    tokenizer_class: "PreTrainedTokenizerFast",
    ...(roles.chatTemplate === undefined ? {} : { chat_template: roles.chatTemplate }),
  };
  return { tokenizer, config };
}

const specialToken = (id: number, content: string) => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: true,
});

/** More tokens that are never split, with ids from `first` on. */
export function withSpecialTokens(
  { tokenizer, config }: TokenizerFiles,
  contents: readonly string[],
  first: number,
): TokenizerFiles {
  const added = contents.map((content, i) => specialToken(first + i, content));
  return {
    tokenizer: { ...tokenizer, added_tokens: [...((tokenizer.added_tokens as object[]) ?? []), ...added] },
    config: {
      ...config,
      added_tokens_decoder: {
        ...(config.added_tokens_decoder as object),
        ...Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
      },
    },
  };
}
