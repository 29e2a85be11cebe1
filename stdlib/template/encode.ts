// Rows as token ids with a loss mask: L = −Σ m_t log π(y_t | x, y_<t), m_t = 1 on the response and its end.
import { type RowData, TaskError } from "../../engine/index.ts";
import type { Message, Tokenizer } from "../../tensor/io/index.ts";
import { asMessages, conversationOf } from "./messages.ts";
import { renderRow, type TemplateTexts } from "./render-row.ts";
import { added, chatTemplateFor, isChatTemplate, segmentsOf } from "./segments.ts";

export interface EncodeOptions {
  readonly template?: TemplateTexts | undefined;
  /** Tokens at most, with the end of text. */
  readonly max_length?: number | undefined;
}

export interface Example {
  readonly ids: number[];
  /** Whether the loss is taken on predicting ids[i]. */
  readonly mask: boolean[];
}

/** A demonstration. Too long a one loses its end; the mask may then have nothing left. */
export function encodeExample(row: RowData, tokenizer: Tokenizer, options: EncodeOptions = {}): Example {
  const { segments, chat } = segmentsOf(row, tokenizer, options.template);
  const ids: number[] = chat ? [] : [...tokenizer.prefix];
  const mask: boolean[] = ids.map(() => false);
  for (const [i, { text, supervised }] of segments.entries()) {
    const piece = tokenizer.encode(text);
    const end = supervised ? endOfTurn(piece, tokenizer) : 0;
    for (const [at, id] of piece.entries()) {
      ids.push(id);
      mask.push(supervised && (end === undefined || at < end));
    }
    // Where the text itself does not end the turn, the end of text does.
    if (supervised && end === undefined && i === segments.length - 1) {
      ids.push(endOfText(tokenizer));
      mask.push(true);
    }
  }
  const length = options.max_length ?? ids.length;
  return { ids: ids.slice(0, length), mask: mask.slice(0, length) };
}

/** What a model is to continue. Too long a prompt loses its start. */
export function encodePrompt(row: RowData, tokenizer: Tokenizer, options: EncodeOptions = {}): number[] {
  const ids = promptIds(row, tokenizer, options.template).ids;
  return options.max_length === undefined ? ids : lastOf(ids, options.max_length);
}

/** Two responses to one prompt; each example is the prompt, masked, and a response with its end. */
export interface Pair {
  readonly prompt: number[];
  readonly chosen: Example;
  readonly rejected: Example;
}

/**
 * A preference. When the prompt and the longer response do not fit, the prompt keeps its last max_length / 2
 * tokens at least, then the responses lose their ends (direct-preference-optimization, trainers.py).
 */
export function encodePair(row: RowData, tokenizer: Tokenizer, options: EncodeOptions = {}): Pair {
  const ids = pairIds(row, tokenizer, options.template);
  const { prompt, examples } = fitted(ids.prompt, [ids.chosen, ids.rejected], options.max_length);
  return { prompt, chosen: examples[0]!, rejected: examples[1]! };
}

function fitted(
  promptIds: number[],
  responses: readonly (readonly number[])[],
  max_length: number | undefined,
): { prompt: number[]; examples: Example[] } {
  const longest = Math.max(...responses.map(({ length }) => length));
  const room = max_length ?? promptIds.length + longest;
  const prompt = lastOf(promptIds, Math.max(room - longest, Math.floor(room / 2)));
  const examples = responses.map((response): Example => {
    const kept = response.slice(0, room - prompt.length);
    return { ids: [...prompt, ...kept], mask: [...prompt.map(() => false), ...kept.map(() => true)] };
  });
  return { prompt, examples };
}

/** Any number of responses to one prompt, cut as a preference is: each example is the prompt, masked, and a response with its end. */
export function encodeResponses(
  row: RowData,
  responses: readonly string[],
  tokenizer: Tokenizer,
  options: EncodeOptions = {},
): Example[] {
  const { ids, messages } = promptIds(row, tokenizer, options.template);
  const own = responses.map((text) => responseIds(text, messages, tokenizer, options.template));
  return fitted(ids, own, options.max_length).examples;
}

interface PairIds {
  readonly prompt: number[];
  readonly chosen: number[];
  readonly rejected: number[];
}

function pairIds(row: RowData, tokenizer: Tokenizer, template: TemplateTexts | undefined): PairIds {
  const { chosen, rejected } = row;
  if (typeof chosen === "string" && typeof rejected === "string") {
    const { ids, messages } = promptIds(row, tokenizer, template);
    const response = (text: string) => responseIds(text, messages, tokenizer, template);
    return { prompt: ids, chosen: response(chosen), rejected: response(rejected) };
  }
  // Both whole conversations, with the prompt in them, or only what follows the prompt.
  const a = asMessages(chosen, "assistant", "chosen");
  const b = asMessages(rejected, "assistant", "rejected");
  const shared = a.findIndex((m, i) => m.role !== b[i]?.role || m.content !== b[i]?.content);
  const common = shared === -1 ? Math.min(a.length, b.length) - 1 : shared;
  const prompt = common > 0 ? a.slice(0, common) : asMessages(row.prompt, "user", "prompt");
  return {
    prompt: tokenizer.encode(chatPrompt(prompt, tokenizer, template)),
    chosen: chatResponse(prompt, a.slice(common), tokenizer, template),
    rejected: chatResponse(prompt, b.slice(common), tokenizer, template),
  };
}

/** A text as the response to a prompt, of which `messages` are given when a chat template rendered it. */
function responseIds(
  text: string,
  messages: readonly Message[] | undefined,
  tokenizer: Tokenizer,
  template: TemplateTexts | undefined,
): number[] {
  if (messages) return chatResponse(messages, [{ role: "assistant", content: text }], tokenizer, template);
  return ended(tokenizer.encode(text), tokenizer);
}

/** `messages` when the prompt was rendered by a chat template. */
function promptIds(
  row: RowData,
  tokenizer: Tokenizer,
  template: TemplateTexts | undefined,
): { ids: number[]; messages?: readonly Message[] } {
  const chat = template !== undefined && isChatTemplate(template);
  if (template && !chat) {
    return { ids: [...tokenizer.prefix, ...tokenizer.encode(renderRow(template as never)(row).prompt)] };
  }
  const { prompt } = row;
  if (typeof prompt === "string" && !chat) return { ids: [...tokenizer.prefix, ...tokenizer.encode(prompt)] };
  const messages = prompt === undefined ? conversationOf(row) : asMessages(prompt, "user", "prompt");
  if (!messages) {
    throw new TaskError({
      code: "wrong-column",
      message: `a row has no prompt; its columns are ${Object.keys(row).join(", ")}`,
      help: "`|> select(prompt: …)` names one",
    });
  }
  return { ids: tokenizer.encode(chatPrompt(messages, tokenizer, template)), messages };
}

function chatPrompt(messages: readonly Message[], tokenizer: Tokenizer, template?: TemplateTexts): string {
  return chatTemplateFor(tokenizer, template).render(messages, { generate: true });
}

function chatResponse(
  prompt: readonly Message[],
  response: readonly Message[],
  tokenizer: Tokenizer,
  template?: TemplateTexts,
): number[] {
  const whole = chatTemplateFor(tokenizer, template).render([...prompt, ...response]);
  return ended(tokenizer.encode(added(chatPrompt(prompt, tokenizer, template), whole)), tokenizer);
}

/** Up to the end of the turn; the end of text is added where the text has no end of its own. */
function ended(ids: number[], tokenizer: Tokenizer): number[] {
  const end = endOfTurn(ids, tokenizer);
  return end === undefined ? [...ids, endOfText(tokenizer)] : ids.slice(0, end);
}

/** Tokens up to and with the last special token, if only white space follows it. */
function endOfTurn(ids: readonly number[], tokenizer: Tokenizer): number | undefined {
  const last = ids.findLastIndex((id) => tokenizer.isSpecial(id));
  if (last === -1 || tokenizer.decode(ids.slice(last + 1)).trim() !== "") return undefined;
  return last + 1;
}

function endOfText(tokenizer: Tokenizer): number {
  if (tokenizer.eos !== undefined) return tokenizer.eos;
  throw new TaskError({
    code: "tokenizer-invalid",
    message: "the tokenizer names no eos_token, so that a response could not end",
    help: "name it in tokenizer_config.json",
  });
}

function lastOf(ids: number[], length: number): number[] {
  return ids.length <= length ? ids : ids.slice(ids.length - length);
}
