// Conversations in a row, in any of the spellings that are common, as role and content.
import { type RowData, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import type { Message } from "../../tensor/io/index.ts";

/** OpenAI's `messages`, or ShareGPT's `conversations` of `from` and `value`; undefined when the row has neither. */
export function conversationOf(row: RowData): Message[] | undefined {
  if (Array.isArray(row.messages)) return messagesOf(row.messages, "messages");
  if (Array.isArray(row.conversations)) return messagesOf(row.conversations, "conversations");
  return undefined;
}

export function messagesOf(list: readonly Json[], column: string): Message[] {
  return list.map((item, i) => {
    const { role, content, from, value } = (item ?? {}) as Record<string, Json>;
    if (typeof role === "string" && typeof content === "string") return { role, content };
    if (typeof from === "string" && typeof value === "string") {
      return { role: sharegptRoles[from] ?? from, content: value };
    }
    throw new TaskError({
      code: "wrong-column",
      message: `message ${i + 1} of ${column} is ${JSON.stringify(item)}`,
      help: 'a message is {"role": "user", "content": "…"}',
    });
  });
}

const sharegptRoles: Readonly<Record<string, string>> = { human: "user", gpt: "assistant" };

/** A text as what `role` says, messages as they are. */
export function asMessages(value: Json | undefined, role: "user" | "assistant", column: string): Message[] {
  if (typeof value === "string") return [{ role, content: value }];
  if (Array.isArray(value)) return messagesOf(value, column);
  throw new TaskError({
    code: "wrong-column",
    message: `${column} is ${JSON.stringify(value)}; a text or a list of messages is wanted`,
  });
}

/** For judges: the text, or the messages as `role: content` where there are several. */
export function plainText(value: Json | undefined, column: string): string {
  if (typeof value === "string") return value;
  const messages = asMessages(value, "user", column);
  if (messages.length === 1) return messages[0]!.content;
  return messages.map((m) => `${m.role}: ${m.content}`).join("\n\n");
}
