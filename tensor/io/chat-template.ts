// Conversations as text, by a model's own chat template.
import { FileError } from "./error.ts";
import { compileTemplate } from "./jinja.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface Message {
  readonly role: string;
  readonly content: string;
}

export interface ChatTemplate {
  /** `generate` ends the text where the assistant is to go on. */
  render(messages: readonly Message[], options?: { readonly generate?: boolean }): string;
}

/** `source` replaces the tokenizer's own template. */
export function chatTemplate(
  tokenizer: Pick<Tokenizer, "chatTemplate" | "specialTokens">,
  source = tokenizer.chatTemplate,
): ChatTemplate {
  if (source === undefined) {
    throw new FileError({
      code: "template-invalid",
      message: "the tokenizer has no chat template",
      help: "give the stage a template, or train on prompts and completions",
    });
  }
  const render = compileTemplate(source, "chat template");
  return {
    render: (messages, options) =>
      render({
        ...tokenizer.specialTokens,
        messages,
        tools: null,
        add_generation_prompt: options?.generate ?? false,
      }),
  };
}
