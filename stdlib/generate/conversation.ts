// A conversation with one model, for `align chat` and `align generate`: through its chat template when it has one, else as plain continuation.
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
  /** `onText` gets the answer piece by piece as it is drawn. */
  reply(text: string, onText?: (piece: string) => void): Promise<string>;
  /** The text as it is, continued; nothing is remembered. */
  continue(text: string, onText?: (piece: string) => void): Promise<string>;
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
    continue: (text, onText) => generate(generator, model, text, options, turn++, onText),
    async reply(text, onText) {
      messages.push({ role: "user", content: text });
      const prompt = template ? template.render(messages, { generate: true }) : text;
      const answer = await generate(generator, model, prompt, options, turn++, onText);
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
  onText: (piece: string) => void = () => {},
): Promise<string> {
  // What no longer fits falls off the front.
  const room = model.geometry.maxLength - 1;
  const ids = model.tokenizer.encode(prompt).slice(-room);
  const start = ids.length > 0 ? ids : [model.tokenizer.eos];
  const drawn: number[] = [];
  let told = "";
  const [generation] = await generator.generate([start], {
    ...options,
    eos: model.stops,
    random: stream(seed).split("chat"),
    row_ids: [turn],
    onToken(_, id) {
      drawn.push(id);
      const text = model.tokenizer.decode(drawn);
      // A character may take several tokens: it is told when it is whole.
      if (text.endsWith("\uFFFD")) return;
      onText(text.slice(told.length));
      told = text;
    },
  });
  const answer = model.tokenizer.decode([...generation!.ids]);
  onText(answer.slice(told.length));
  return answer;
}
