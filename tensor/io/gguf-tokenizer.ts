// The tokenizer inside a GGUF file as the two files of a model folder, and back. Byte-level BPE (`gpt2`) only.
import type { GgufMetadata } from "./gguf-header.ts";
import { unsupported } from "./gguf-model.ts";
import { preTokenizerOf, preTokenizers } from "./pre-tokenizers.ts";
import type { Tokenizer } from "./tokenizer.ts";
import type { JsonObject, TokenizerFiles } from "./tokenizer-files.ts";

/** `tokenizer.ggml.token_type` */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 } as const;

const roles = { bos: "bos", eos: "eos", unknown: "unk", padding: "pad" } as const;

export function tokenizerFilesOf(metadata: GgufMetadata, where: string): TokenizerFiles {
  const model = metadata.get("tokenizer.ggml.model");
  if (model !== "gpt2") {
    throw unsupported(
      `its tokenizer is of the kind ${JSON.stringify(model)}; only byte-level BPE ("gpt2") is read`,
      where,
      "take the model as a folder with tokenizer.json instead",
    );
  }
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
  const tokens = textsIn(metadata, "tokenizer.ggml.tokens", where);
  const types = metadata.get("tokenizer.ggml.token_type") as ArrayLike<number> | undefined;
  if (types !== undefined && types.length !== tokens.length) {
    throw unsupported(`it has ${tokens.length} tokens but the types of ${types.length}`, where);
  }
  const typeOf = (id: number): number => types?.[id] ?? kinds.normal;

  const vocab = new Map<string, number>();
  const added: (AddedToken & { readonly id: number })[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = typeOf(id);
    if (type === kinds.unused) continue;
    if (vocab.has(content)) {
      throw unsupported(`tokens ${vocab.get(content)} and ${id} are both ${JSON.stringify(content)}`, where);
    }
    vocab.set(content, id);
    if (type === kinds.normal) continue;
    const special = type !== kinds.userDefined;
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special });
  }
  const merges = textsIn(metadata, "tokenizer.ggml.merges", where).map((merge) => {
    const pair = merge.split(" ");
    if (pair.length !== 2 || !vocab.has(pair[0]!) || !vocab.has(pair[1]!) || !vocab.has(pair.join(""))) {
      throw unsupported(`its merge ${JSON.stringify(merge)} is not one of two tokens into a third`, where);
    }
    return pair;
  });

  const config: JsonObject = {
    added_tokens_decoder: Object.fromEntries(added.map(({ id, ...token }) => [String(id), token])),
    add_prefix_space: false,
    clean_up_tokenization_spaces: false,
    tokenizer_class: "PreTrainedTokenizerFast",
  };
  for (const [gguf, hf] of Object.entries(roles)) {
    const id = metadata.get(`tokenizer.ggml.${gguf}_token_id`);
    if (id === undefined) continue;
    const token = tokens[Number(id)];
    if (token === undefined) throw unsupported(`its ${gguf} token is ${String(id)}, which is none`, where);
    config[`${hf}_token`] = token;
  }
  const template = metadata.get("tokenizer.chat_template");
  if (typeof template === "string") config.chat_template = template;
  const addBos = metadata.get("tokenizer.ggml.add_bos_token") ?? pre.addBos ?? false;
  config.add_bos_token = addBos === true;
  const bos = config.bos_token as string | undefined;

  return {
    config,
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: added,
      normalizer: pre.normalizer ?? null,
      pre_tokenizer: pre.preTokenizer,
      post_processor: addBos === true && bos !== undefined ? startingWith(bos, vocab.get(bos)!) : null,
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: pre.ignoreMerges ?? false,
        vocab: Object.fromEntries(vocab),
        merges,
      },
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

export type TokenizerMetadata = Map<string, string | number | boolean | readonly string[] | Int32Array>;

/** The tokenizer of a model folder as GGUF metadata, padded to the model's number of ids. */
export function tokenizerMetadataOf(tokenizer: Tokenizer, size: number, where: string): TokenizerMetadata {
  const { files } = tokenizer;
  const model = files.tokenizer.model as JsonObject | undefined;
  const pre = preTokenizerOf(files.tokenizer);
  if (model?.type !== "BPE" || model.byte_fallback || !pre) {
    throw unsupported(
      "its tokenizer has no counterpart in GGUF: byte-level BPE that cuts text as GPT-2, SmolLM, Llama 3 or Qwen 2 do can be written",
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
  const tokens: string[] = [];
  const types = new Int32Array(size);
  for (let id = 0; id < size; id++) {
    const token = id < tokenizer.vocabSize ? tokenizer.token(id) : undefined;
    tokens.push(token ?? `[PAD${id}]`);
    if (token === undefined) types[id] = kinds.unused;
    else if (!added.has(id)) types[id] = kinds.normal;
    else types[id] = added.get(id)!.special ? kinds.control : kinds.userDefined;
  }
  const merges = (model.merges as (string | string[])[]).map((m) =>
    typeof m === "string" ? m : m.join(" "),
  );
  const metadata: TokenizerMetadata = new Map<
    string,
    string | number | boolean | readonly string[] | Int32Array
  >([
    ["tokenizer.ggml.model", "gpt2"],
    ["tokenizer.ggml.pre", pre.names[0]!],
    ["tokenizer.ggml.tokens", tokens],
    ["tokenizer.ggml.token_type", types],
    ["tokenizer.ggml.merges", merges],
  ]);
  for (const [gguf, hf] of Object.entries(roles)) {
    const token = tokenizer.specialTokens[`${hf}_token`];
    const id = token === undefined ? undefined : tokenizer.id(token);
    if (id !== undefined) metadata.set(`tokenizer.ggml.${gguf}_token_id`, id);
  }
  metadata.set("tokenizer.ggml.add_bos_token", tokenizer.prefix.length > 0);
  metadata.set("tokenizer.ggml.add_space_prefix", false);
  if (tokenizer.chatTemplate !== undefined) metadata.set("tokenizer.chat_template", tokenizer.chatTemplate);
  return metadata;
}
