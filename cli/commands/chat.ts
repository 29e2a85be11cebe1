// `align chat MODEL`: talk to a model folder, or to a stage of a pipeline that has been run.
import { stat } from "node:fs/promises";
import { createInterface } from "node:readline/promises";
import { openChat, type ReplyOptions } from "../../stdlib/index.ts";
import { failureText } from "../failure.ts";
import { badFile, openPlan } from "../pipeline.ts";
import { findStage } from "../stage.ts";
import { paint } from "../ui/terminal.ts";

export interface ChatOptions {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxNewTokens: number;
  readonly seed: number;
  readonly store?: string;
}

export async function chat(model: string, options: ChatOptions): Promise<number> {
  const dir = await modelFolder(model, options);
  if (typeof dir === "number") return dir;
  const sampling: ReplyOptions = {
    temperature: options.temperature,
    top_p: options.topP,
    top_k: options.topK,
    max_new_tokens: options.maxNewTokens,
    seed: options.seed,
  };
  const conversation = await openChat(dir, sampling);
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
    const answer = await conversation.reply(line);
    console.log(conversation.chats ? answer.trim() : paint.dim(line) + answer);
    if (person) lines.prompt();
  }
  lines.close();
  await conversation.dispose();
  return 0;
}

/** A folder as it is; `FILE#stage` as the artifact of that stage. */
async function modelFolder(model: string, options: ChatOptions): Promise<string | number> {
  const at = model.lastIndexOf("#");
  if (at < 0) {
    const found = await stat(model).catch(() => undefined);
    if (found?.isDirectory()) return model;
    const help = model.endsWith(".align")
      ? `name a stage of it: ${model}#stage`
      : "give a model folder, or FILE.align#stage";
    console.error(failureText({ code: "no-such-model", message: `${model} is not a model folder`, help }));
    return badFile;
  }
  const [file, stage] = [model.slice(0, at), model.slice(at + 1)];
  const opened = await openPlan(file, { ...(options.store === undefined ? {} : { store: options.store }) });
  if (typeof opened === "number") return opened;
  const task = findStage(opened.plan, stage, file);
  if (!task) return badFile;
  const tree = task.artifact?.tree;
  if (tree === undefined) {
    console.error(
      failureText({
        code: "not-run",
        message: `${stage} has not been run as the file is now`,
        help: `align run ${file} --only ${stage}`,
      }),
    );
    return badFile;
  }
  const found = await opened.store.materialise(tree);
  if ("dir" in found) return found.dir;
  console.error(
    failureText({
      code: "damaged",
      message: `the artifact of ${stage} is damaged: ${found.damage}`,
      help: `align run ${file} --only ${stage}`,
    }),
  );
  return 1;
}
