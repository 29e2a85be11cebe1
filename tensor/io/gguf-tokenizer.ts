// The tokenizer inside a GGUF file as the two files of a model folder, and back: byte-level BPE (`gpt2`) and SentencePiece's (`llama`).
import type { GgufMetadata } from "./gguf-header.ts";
import { unsupported } from "./gguf-unsupported.ts";
import { preTokenizerOf, preTokenizers } from "./pre-tokenizers.ts";
import { mergesOf, scoresOf, spaceFirstIn, wordsInPieces } from "./sentencepiece.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { JsonObject, TokenizerFiles } from "./tokenizer-files.ts";

/** `tokenizer.ggml.token_type` */
const types = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

const roles = { bos: "bos", eos: "eos", unknown: "unk", padding: "pad" } as const;

export function tokenizerFilesOf(metadata: GgufMetadata, where: string): TokenizerFiles {
  const vocabulary = vocabularyIn(metadata, where);
  const { vocab, added } = vocabulary;
  const kind = kindOf(metadata, vocabulary, where);

  const config: JsonObject = {
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    tokenizer_class: "PreTrainedTokenizerFast",
  };
  for (const [gguf, hf] of Object.entries(roles)) {
    const id = metadata.get(`tokenizer.ggml.${gguf}_token_id`);
    if (id === undefined) continue;
    const token = vocabulary.tokens[Number(id)];
    if (token === undefined) throw unsupported(`its ${gguf} token is ${String(id)}, which is none`, where);
    config[`${hf}_token`] = token;
  }
  const template = metadata.get("tokenizer.chat_template");
  if (typeof template === "string") config.chat_template = template;
  const addBos = (metadata.get("tokenizer.ggml.add_bos_token") ?? kind.addBos) === true;
  config.add_bos_token = addBos;
  const bos = config.bos_token as string | undefined;

  return {
    config,
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      ...kind.words,
      post_processor: addBos && bos !== undefined ? startingWith(bos, vocab.get(bos)!) : null,
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(vocab),
        ...kind.model,
      },
    },
  };
}

interface Vocabulary {
  readonly tokens: readonly string[];
  readonly typeOf: (id: number) => number;
  /** Without unused ones. */
  readonly vocab: ReadonlyMap<string, number>;
  readonly added: readonly (AddedToken & { readonly id: number })[];
}

function vocabularyIn(metadata: GgufMetadata, where: string): Vocabulary {
  const tokens = textsIn(metadata, "tokenizer.ggml.tokens", where);
  const given = metadata.get("tokenizer.ggml.token_type") as ArrayLike<number> | undefined;
  if (given !== undefined && given.length !== tokens.length) {
    throw unsupported(`it has ${tokens.length} tokens but the types of ${given.length}`, where);
  }
  const typeOf = (id: number): number => given?.[id] ?? types.normal;
  const vocab = new Map<string, number>();
  const added: (AddedToken & { readonly id: number })[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = typeOf(id);
    if (type === types.unused) continue;
    if (vocab.has(content)) {
      throw unsupported(`tokens ${vocab.get(content)} and ${id} are both ${JSON.stringify(content)}`, where);
    }
    vocab.set(content, id);
    if (type === types.normal || type === types.byte) continue;
    const special = type !== types.userDefined;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  }
  return { tokens, typeOf, vocab, added };
}

/** How text becomes words and tokens, where the kinds of tokenizers differ. */
interface Kind {
  /** Whether llama.cpp begins every text with bos where a file does not say. */
  readonly addBos: boolean;
  /** The normalizer, pre_tokenizer and decoder of tokenizer.json. */
  readonly words: JsonObject;
  readonly model: JsonObject;
}

function kindOf(metadata: GgufMetadata, vocabulary: Vocabulary, where: string): Kind {
  const model = metadata.get("tokenizer.ggml.model");
  if (model === "gpt2") return byteLevel(metadata, vocabulary, where);
  if (model === "llama") return sentencePiece(metadata, vocabulary, where);
  throw unsupported(
    `its tokenizer is of the kind ${JSON.stringify(model)}; byte-level BPE ("gpt2") and SentencePiece's ("llama") are read`,
    where,
    "take the model as a folder with tokenizer.json instead",
  );
}

function byteLevel(metadata: GgufMetadata, { vocab }: Vocabulary, where: string): Kind {
  const name = metadata.get("tokenizer.ggml.pre") ?? "default";
  const pre = preTokenizers.find(({ names }) => names.includes(String(name)));
  if (!pre) {
    const known = preTokenizers.flatMap(({ names }) => names).join(", ");
    throw unsupported(
      `its tokenizer cuts text in the way ${JSON.stringify(name)}; ${known} are known`,
      where,
      "take the model as a folder with tokenizer.json instead",
    );
  }
  const merges = textsIn(metadata, "tokenizer.ggml.merges", where).map((merge) => {
    const pair = merge.split(" ");
    if (pair.length !== 2 || !vocab.has(pair[0]!) || !vocab.has(pair[1]!) || !vocab.has(pair.join(""))) {
      throw unsupported(`its merge ${JSON.stringify(merge)} is not one of two tokens into a third`, where);
    }
    return pair;
  });
  return {
    addBos: pre.addBos ?? false,
    words: {
      normalizer: pre.normalizer ?? null,
      pre_tokenizer: pre.preTokenizer,
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    },
    model: { ignore_merges: pre.ignoreMerges ?? false, merges },
  };
}

function sentencePiece(metadata: GgufMetadata, { tokens, typeOf }: Vocabulary, where: string): Kind {
  const scores = metadata.get("tokenizer.ggml.scores");
  if (!(scores instanceof Float32Array) || scores.length !== tokens.length || scores.some(Number.isNaN)) {
    throw unsupported("tokenizer.ggml.scores is not a number for each of its tokens", where);
  }
  const own = (id: number) => typeOf(id) === types.normal || typeOf(id) === types.byte;
  const unknown = tokens.find((_, id) => typeOf(id) === types.unknown);
  return {
    addBos: true,
    words: wordsInPieces(metadata.get("tokenizer.ggml.add_space_prefix") !== false),
    model: {
      unk_token: unknown ?? null,
      fuse_unk: true,
      byte_fallback: true,
      merges: mergesOf(tokens.map((text, id) => ({ text, score: scores[id]!, whole: !own(id) }))),
    },
  };
}

interface AddedToken {
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** Every text begins with this token. */
function startingWith(token: string, id: number): JsonObject {
  const first = { SpecialToken: { id: token, type_id: 0 } };
  const text = (name: string, type_id: number) => ({ Sequence: { id: name, type_id } });
  return {
    type: "TemplateProcessing",
    single: [first, text("A", 0)],
    pair: [first, text("A", 0), first, text("B", 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

function textsIn(metadata: GgufMetadata, key: string, where: string): readonly string[] {
  const list = metadata.get(key);
  if (Array.isArray(list) && list.every((text) => typeof text === "string")) return list;
  throw unsupported(`${key} is not a list of texts, so it has no usable tokenizer`, where);
}

export type TokenizerMetadata = Map<
  string,
  string | number | boolean | readonly string[] | Int32Array | Float32Array
>;

/** The tokenizer of a model folder as GGUF metadata, padded to the model's number of ids. */
export function tokenizerMetadataOf(tokenizer: Tokenizer, size: number, where: string): TokenizerMetadata {
  const { files } = tokenizer;
  const model = files.tokenizer.model as JsonObject | undefined;
  const pre = preTokenizerOf(files.tokenizer);
  const spaceFirst = spaceFirstIn(files.tokenizer);
  if (model?.type !== "BPE" || (spaceFirst === undefined && (model.byte_fallback || !pre))) {
    throw unsupported(
      "its tokenizer has no counterpart in GGUF: byte-level BPE that cuts text as GPT-2, SmolLM, Llama 3 or Qwen 2 do and SentencePiece's BPE can be written",
      where,
      "export the model as a folder instead: --format hf",
    );
  }
  if (tokenizer.vocabSize > size) {
    throw unsupported(`the tokenizer has ${tokenizer.vocabSize} ids but the model only ${size}`, where);
  }
  const added = new Map(
    ((files.tokenizer.added_tokens ?? []) as { id: number; special?: boolean }[]).map((t) => [t.id, t]),
  );
  const typeOf = (id: number, token: string | undefined): number => {
    if (token === undefined) return types.unused;
    if (token === model.unk_token) return types.unknown;
    if (added.has(id)) return added.get(id)!.special ? types.control : types.userDefined;
    return spaceFirst !== undefined && /^<0x[0-9A-F]{2}>$/.test(token) ? types.byte : types.normal;
  };
  const known = Array.from({ length: size }, (_, id) =>
    id < tokenizer.vocabSize ? tokenizer.token(id) : undefined,
  );
  const merges = (model.merges as (string | [string, string])[]).map((merge) =>
    typeof merge === "string" ? (merge.split(" ") as [string, string]) : merge,
  );
  const metadata: TokenizerMetadata = new Map<string, NonNullable<ReturnType<TokenizerMetadata["get"]>>>([
    ["tokenizer.ggml.model", spaceFirst === undefined ? "gpt2" : "llama"],
    ["tokenizer.ggml.pre", spaceFirst === undefined ? pre!.names[0]! : "default"],
    ["tokenizer.ggml.tokens", known.map((token, id) => token ?? `[PAD${id}]`)],
    ["tokenizer.ggml.token_type", Int32Array.from(known, (token, id) => typeOf(id, token))],
  ]);
  if (spaceFirst === undefined) {
    metadata.set(
      "tokenizer.ggml.merges",
      merges.map((pair) => pair.join(" ")),
    );
  } else {
    const scores = scoresOf(merges);
    // What no merge makes is never chosen by its score.
    const score = (token: string | undefined) => scores.get(token ?? "") ?? -merges.length;
    metadata.set("tokenizer.ggml.scores", Float32Array.from(known, score));
  }
  for (const [gguf, hf] of Object.entries(roles)) {
    const token = tokenizer.specialTokens[`${hf}_token`];
    const id = token === undefined ? undefined : tokenizer.id(token);
    if (id !== undefined) metadata.set(`tokenizer.ggml.${gguf}_token_id`, id);
  }
  metadata.set("tokenizer.ggml.add_bos_token", tokenizer.prefix.length > 0);
  metadata.set("tokenizer.ggml.add_space_prefix", spaceFirst ?? false);
  if (tokenizer.chatTemplate !== undefined) metadata.set("tokenizer.chat_template", tokenizer.chatTemplate);
  return metadata;
}
