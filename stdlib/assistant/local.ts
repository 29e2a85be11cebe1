// An assistant on this machine: the model decodes what it is asked in one rolling batch.

import { TaskError } from "../../engine/index.ts";
import { openAnswerer } from "../generate/answerer.ts";
import { openBackend } from "../training/backend.ts";
import { type Ask, type Assistant, keptReply, type Reply, type Surroundings } from "./assistant.ts";

interface Place {
  readonly dir: string;
  readonly node: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

export async function openLocal({ dir, node, settings }: Place, around: Surroundings): Promise<Assistant> {
  const batch_size = Number(settings?.batch_size ?? 16);
  const answerer = await openAnswerer(dir, await openBackend(around), batch_size);
  const { chat, model } = answerer;
  if (!chat)
    throw new TaskError({
      code: "no-chat-template",
      message: `${node} has no chat template, so it cannot be asked`,
      help: "train it with `sft(…) { template: … }`, or use an instruct model",
    });
  const limit = model.geometry.maxLength;

  async function answer({ messages, sampling: { max_tokens, ...sampling } }: Ask): Promise<Reply> {
    const prompt = chat!(messages);
    if (prompt.length >= limit)
      throw new TaskError({
        code: "prompt-too-long",
        message: `a question has ${prompt.length} tokens, the limit of ${node} is ${limit} with the answer`,
        help: "leave long rows out with `filter`, or ask a model with a longer context",
      });
    const { text, tokens, finish } = await answerer.answer(prompt, {
      top_p: 1,
      ...sampling,
      max_new_tokens: Math.min(max_tokens, limit - prompt.length),
      signal: around.signal,
    });
    return { text, finish, prompt_tokens: prompt.length, completion_tokens: tokens.length };
  }

  return {
    concurrency: batch_size,
    ask: (ask) => keptReply(around.journal, ask, () => answer(ask)),
    dispose: () => answerer.dispose(),
  };
}
