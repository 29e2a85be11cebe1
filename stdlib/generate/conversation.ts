// A conversation with one model, for `align chat`: through its chat template when it has one, else as plain continuation.
import { type Backend, createGenerator, type Generator, stream } from "../../tensor/index.ts";
import { chatTemplate, type Message } from "../../tensor/io/index.ts";
import { type OpenModel, openModel } from "../training/model.ts";

export interface ReplyOptions {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly max_new_tokens: number;
  readonly seed: number;
}

export interface Conversation {
  /** False for a base model: it continues the text, and nothing is remembered. */
  readonly chats: boolean;
  reply(text: string): Promise<string>;
  dispose(): Promise<void>;
}

export async function openConversation(
  dir: string,
  backend: Backend,
  options: ReplyOptions,
): Promise<Conversation> {
  const model = await openModel({ dir, node: dir });
  const generator = createGenerator({ backend, config: model.config, params: model.params });
  const template = model.tokenizer.chatTemplate === undefined ? undefined : chatTemplate(model.tokenizer);
  const messages: Message[] = [];
  let turn = 0;

  return {
    chats: template !== undefined,
    async reply(text) {
      messages.push({ role: "user", content: text });
      const prompt = template ? template.render(messages, { generate: true }) : text;
      const answer = await generate(generator, model, prompt, options, turn++);
      messages.push({ role: "assistant", content: answer });
      return answer;
    },
    dispose: () => generator.dispose(),
  };
}

async function generate(
  generator: Generator,
  model: OpenModel,
  prompt: string,
  { seed, ...options }: ReplyOptions,
  turn: number,
): Promise<string> {
  // What no longer fits falls off the front.
  const room = model.geometry.maxLength - 1;
  const ids = model.tokenizer.encode(prompt).slice(-room);
  const start = ids.length > 0 ? ids : [model.tokenizer.eos];
  const [generation] = await generator.generate([start], {
    ...options,
    eos: [model.tokenizer.eos],
    random: stream(seed).split("chat"),
    row_ids: [turn],
  });
  return model.tokenizer.decode([...generation!.ids]);
}
