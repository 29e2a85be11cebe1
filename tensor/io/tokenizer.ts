// Text to ids and back, by the tokenizer.json of a model.
import { join } from "node:path";
import { Tokenizer as HfTokenizer } from "@huggingface/tokenizers";
import { byteLevelEncoder } from "./byte-level.ts";
import { FileError } from "./error.ts";
import { readJsonObject, readTextIfThere } from "./json-file.ts";
import type { JsonObject, TokenizerFiles } from "./tokenizer-files.ts";

export interface Tokenizer {
  /** Without the special tokens that the post-processor adds, unless asked; those written in the text count. */
  encode(text: string, options?: { readonly special?: boolean }): number[];
  /** Exactly the text of the ids; special tokens are left out unless asked. */
  decode(ids: readonly number[], options?: { readonly special?: boolean }): string;
  /** The number of ids: the highest one plus one. */
  readonly vocabSize: number;
  readonly bos: number | undefined;
  readonly eos: number | undefined;
  /** The end of text where the model names no padding token. */
  readonly pad: number | undefined;
  /** Ids that every text starts with, such as Llama's bos. */
  readonly prefix: readonly number[];
  isSpecial(id: number): boolean;
  token(id: number): string | undefined;
  id(token: string): number | undefined;
  /** Names and texts of the special tokens, for chat templates: `eos_token`. */
  readonly specialTokens: Readonly<Record<string, string>>;
  readonly chatTemplate: string | undefined;
  /** What it was made from, to be written next to a tuned model. */
  readonly files: TokenizerFiles;
}

export async function loadTokenizer(dir: string): Promise<Tokenizer> {
  const tokenizer = await readJsonObject(join(dir, "tokenizer.json"), "tokenizer-invalid");
  if (!tokenizer) {
    throw new FileError({
      code: "tokenizer-invalid",
      message: "there is no tokenizer.json",
      where: dir,
      help: "a model folder needs the fast tokenizer's file; transformers writes it with save_pretrained",
    });
  }
  const config = (await readJsonObject(join(dir, "tokenizer_config.json"), "tokenizer-invalid")) ?? {};
  const chatTemplate = await readTextIfThere(join(dir, "chat_template.jinja"));
  return makeTokenizer(
    { tokenizer, config: chatTemplate === undefined ? config : { ...config, chat_template: chatTemplate } },
    dir,
  );
}

export function makeTokenizer(files: TokenizerFiles, where?: string): Tokenizer {
  return guarded("the tokenizer cannot be used", where, () => build(files, where));
}

/** The library checks little of a damaged file, so that anything may be thrown anywhere. */
function guarded<T>(what: string, where: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError({
      code: "tokenizer-invalid",
      message: `${what}: ${error instanceof Error ? error.message : String(error)}`,
      where,
      help: "tokenizer.json is damaged or of a kind that is not read: fetch it again",
    });
  }
}

/** Ids index arrays of the model. */
function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 31;
}

function build(files: TokenizerFiles, where?: string): Tokenizer {
  const { config } = files;
  const hf = new HfTokenizer(files.tokenizer, config);
  const vocabulary: Map<string, number> = hf.get_vocab(true);
  for (const [token, id] of vocabulary) {
    if (!isId(id)) throw new Error(`the token ${JSON.stringify(token)} has the id ${String(id)}`);
  }
  const special = new Set<number>();
  for (const [id, token] of hf.get_added_tokens_decoder()) if (token.special) special.add(id);

  const specialTokens: Record<string, string> = {};
  for (const [name, value] of Object.entries(config)) {
    if (!name.endsWith("_token")) continue;
    const content = typeof value === "string" ? value : (value as { content?: unknown } | null)?.content;
    if (typeof content === "string") specialTokens[name] = content;
  }
  const role = (name: string): number | undefined => {
    const token = specialTokens[name];
    return token === undefined ? undefined : hf.token_to_id(token);
  };
  const fast = byteLevelEncoder(files.tokenizer);
  const encode: Tokenizer["encode"] = (text, options) => {
    const special = options?.special ?? false;
    if (fast && !special) return fast(text);
    return guarded("the tokenizer cannot encode this text", where, () => {
      const { ids } = hf.encode(text, { add_special_tokens: special });
      const bad = ids.findIndex((id: unknown) => !isId(id));
      if (bad >= 0) throw new Error(`token ${bad} has the id ${String(ids[bad])}`);
      return ids;
    });
  };

  const plain = encode("a");
  const full = encode("a", { special: true });
  const eos = role("eos_token");
  let size = 0;
  for (const id of vocabulary.values()) size = Math.max(size, id + 1);

  return {
    encode,
    decode: (ids, options) =>
      ids.length === 0 // which the library refuses
        ? ""
        : guarded("the tokenizer cannot decode these ids", where, () =>
            hf.decode(ids as number[], {
              skip_special_tokens: !(options?.special ?? false),
              clean_up_tokenization_spaces: false,
            }),
          ),
    vocabSize: size,
    bos: role("bos_token"),
    eos,
    pad: role("pad_token") ?? eos,
    prefix: full.slice(0, Math.max(0, full.indexOf(plain[0] ?? -1))),
    isSpecial: (id) => special.has(id),
    token: (id) => hf.id_to_token(id),
    id: (token) => hf.token_to_id(token),
    specialTokens,
    chatTemplate: chatTemplateOf(config),
    files,
  };
}

/** A template, or a list of named ones of which `default` is meant. */
function chatTemplateOf(config: JsonObject): string | undefined {
  const { chat_template: template } = config;
  if (typeof template === "string") return template;
  if (!Array.isArray(template)) return undefined;
  const named = template as { name?: unknown; template?: unknown }[];
  const chosen = named.find((t) => t.name === "default")?.template;
  return typeof chosen === "string" ? chosen : undefined;
}
