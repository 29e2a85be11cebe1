// A row as the text that a model sees, in pieces that are supervised and pieces that are not.
import { type RowData, TaskError } from "../../engine/index.ts";
import { type ChatTemplate, chatTemplate, type Message, type Tokenizer } from "../../tensor/io/index.ts";
import { asMessages, conversationOf } from "./messages.ts";
import { renderRow, type TemplateTexts } from "./render-row.ts";

export interface Segment {
  readonly text: string;
  /** The loss is taken on these tokens. */
  readonly supervised: boolean;
}

/** What of a tokenizer is needed before there are ids. */
export type ChatTokenizer = Pick<Tokenizer, "chatTemplate" | "specialTokens">;

export interface Segments {
  readonly segments: readonly Segment[];
  /** Rendered by a chat template, which writes its own start of text and ends of turns. */
  readonly chat: boolean;
}

/** Demonstrations: Text, Instruction (also Alpaca's columns) or Chat, or any row through a template. */
export function segmentsOf(row: RowData, tokenizer: ChatTokenizer, template?: TemplateTexts): Segments {
  const messages = conversationOf(row) ?? instructionMessages(row);
  if (template && !(isChatTemplate(template) && (messages || "prompt" in row))) {
    const { prompt, completion = row.completion } = renderRow(template as never)(row);
    if (typeof completion === "string") return plain(prompt, completion);
    throw new TaskError({
      code: "template-invalid",
      message: "the template has no `target` and the row no `completion`: there is nothing to learn from",
      help: 'give the template a target: target: "{{ answer }}"',
    });
  }
  if (messages) return chatSegments(messages, chatTemplateFor(tokenizer, template));
  const { prompt, completion, text } = row;
  if (prompt !== undefined && completion !== undefined) {
    if (typeof prompt === "string" && typeof completion === "string" && !template)
      return plain(prompt, completion);
    const conversation = [
      ...asMessages(prompt, "user", "prompt"),
      ...asMessages(completion, "assistant", "completion"),
    ];
    return chatSegments(conversation, chatTemplateFor(tokenizer, template));
  }
  if (typeof text === "string") return { segments: [{ text, supervised: true }], chat: false };
  if (typeof row.instruction === "string" && typeof row.output === "string") {
    const input = typeof row.input === "string" && row.input !== "" ? `${row.input}\n\n` : "";
    return plain(`${row.instruction}\n\n${input}`, row.output);
  }
  throw new TaskError({
    code: "wrong-column",
    message: `a row has the columns ${Object.keys(row).join(", ")}`,
    help: "wanted are text, prompt and completion, or messages; `|> select(prompt: …, completion: …)` names them",
  });

  /** Alpaca's columns are a conversation where there is a template for one. */
  function instructionMessages({ instruction, input, output }: RowData): Message[] | undefined {
    if (typeof instruction !== "string" || typeof output !== "string") return undefined;
    if (tokenizer.chatTemplate === undefined && !(template && isChatTemplate(template))) return undefined;
    const question = typeof input === "string" && input !== "" ? `${instruction}\n${input}` : instruction;
    return [
      { role: "user", content: question },
      { role: "assistant", content: output },
    ];
  }
}

/** A template without a target that reads `messages` stands for the model's own chat template. */
export function isChatTemplate({ input, target }: TemplateTexts): boolean {
  return target === undefined && /\bmessages\b/.test(input);
}

export function chatTemplateFor(tokenizer: ChatTokenizer, template?: TemplateTexts): ChatTemplate {
  const source = template && isChatTemplate(template) ? template.input : tokenizer.chatTemplate;
  if (source === undefined) return chatTemplate(tokenizer);
  const known = compiledChats.get(tokenizer)?.get(source);
  if (known) return known;
  const made = chatTemplate(tokenizer, source);
  compiledChats.set(tokenizer, (compiledChats.get(tokenizer) ?? new Map()).set(source, made));
  return made;
}

const compiledChats = new WeakMap<ChatTokenizer, Map<string, ChatTemplate>>();

function plain(prompt: string, completion: string): Segments {
  return {
    segments: [
      { text: prompt, supervised: false },
      { text: completion, supervised: true },
    ],
    chat: false,
  };
}

/** What each assistant turn adds to the text that asks for it is supervised. */
function chatSegments(messages: readonly Message[], template: ChatTemplate): Segments {
  const segments: Segment[] = [];
  let done = "";
  for (const [i, { role }] of messages.entries()) {
    if (role !== "assistant") continue;
    const asked = template.render(messages.slice(0, i), { generate: true });
    const answered = template.render(messages.slice(0, i + 1));
    segments.push({ text: added(done, asked), supervised: false });
    segments.push({ text: added(asked, answered), supervised: true });
    done = answered;
  }
  if (segments.length > 0) return { segments, chat: true };
  throw new TaskError({
    code: "no-completion",
    message: "a conversation has no assistant turn: there is nothing to learn from",
    help: "leave such rows out with `|> filter(…)`",
  });
}

/** The text that `longer` has after `start`. */
export function added(start: string, longer: string): string {
  if (longer.startsWith(start)) return longer.slice(start.length);
  throw new TaskError({
    code: "template-invalid",
    message:
      "the chat template changes earlier turns when a later one is added, so that turns cannot be told apart",
    help: "give the stage a template that only appends",
  });
}
