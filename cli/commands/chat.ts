// `align chat MODEL` and `align generate MODEL`: talk to a model folder, a GGUF file, or a stage of a pipeline that has been run.
import { createInterface } from "node:readline/promises";
import { type Conversation, openChat, type ReplyOptions } from "../../stdlib/index.ts";
import { chooseDevice } from "../device.ts";
import { modelPath } from "../model.ts";
import { badFile } from "../pipeline.ts";
import { failureText } from "../ui/failure-text.ts";
import { paint } from "../ui/terminal.ts";

export interface ChatOptions {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxNewTokens: number;
  readonly seed: number;
  readonly store?: string;
  readonly device: string;
}

export async function chat(model: string, options: ChatOptions): Promise<number> {
  const conversation = await open(model, options);
  if (typeof conversation === "number") return conversation;
  const person = process.stdin.isTTY === true;
  const lines = createInterface({
    input: process.stdin,
    output: person ? process.stderr : undefined!,
    terminal: person,
  });
  if (person) {
    const kind = conversation.chats
      ? "It answers by its chat template."
      : "It has no chat template: it continues what you write.";
    console.error(paint.dim(`${model}. ${kind} An empty line or Ctrl-D ends.`));
    lines.setPrompt(paint.cyan("> "));
    lines.prompt();
  }
  for await (const line of lines) {
    if (line.trim() === "") {
      if (person) break;
      continue;
    }
    if (!conversation.chats) process.stdout.write(paint.dim(line));
    await conversation.reply(line, (piece) => process.stdout.write(piece));
    process.stdout.write("\n");
    if (person) lines.prompt();
  }
  lines.close();
  await conversation.dispose();
  return 0;
}

/** `align generate MODEL PROMPT…`: each prompt continued, the text as it is; without prompts, each line of stdin. */
export async function generate(
  model: string,
  prompts: readonly string[],
  options: ChatOptions,
): Promise<number> {
  const conversation = await open(model, options);
  if (typeof conversation === "number") return conversation;
  const lines = prompts.length > 0 ? prompts : createInterface({ input: process.stdin });
  for await (const prompt of lines) {
    process.stdout.write(paint.dim(prompt));
    await conversation.continue(prompt, (piece) => process.stdout.write(piece));
    process.stdout.write("\n");
  }
  await conversation.dispose();
  return 0;
}

async function open(model: string, options: ChatOptions): Promise<Conversation | number> {
  const path = await modelPath(model, options);
  if (typeof path === "number") return path;
  const chosen = await chooseDevice(options.device);
  if ("message" in chosen) {
    console.error(failureText(chosen));
    return badFile;
  }
  const sampling: ReplyOptions = {
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    max_new_tokens: options.maxNewTokens,
    seed: options.seed,
  };
  return openChat(path, chosen.device, sampling);
}
