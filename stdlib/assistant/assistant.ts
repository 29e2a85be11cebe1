// What an assistant is to those who ask it, and how one is opened from its artifact.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Artifact, once, type RowJournal, type TaskContext, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import type { Message } from "../../tensor/io/index.ts";

export interface ChatSampling {
  readonly temperature: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
  readonly stop?: readonly string[];
  readonly max_tokens: number;
  readonly seed: number;
}

export interface Ask {
  /** What it is for: the row, the sample, the attempt. Equal messages under another name are asked again. */
  readonly id: Json;
  readonly messages: readonly Message[];
  readonly sampling: ChatSampling;
}

/** Plain JSON: it is what the journal keeps. */
export type Reply = {
  readonly text: string;
  readonly finish: "stop" | "length";
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
};

export interface Assistant {
  /** More questions at once gain nothing. */
  readonly concurrency: number;
  ask(ask: Ask): Promise<Reply>;
  dispose(): Promise<void>;
}

export type Surroundings = Pick<TaskContext, "threads" | "device" | "signal"> & {
  readonly journal?: RowJournal | undefined;
};

/** assistant.json: `kind` says how the rest is read. */
export type AssistantFile =
  | { readonly kind: "api"; readonly version: 1; readonly model: string; readonly base_url?: string }
  | { readonly kind: "local"; readonly version: 1 };

export const assistantFile = "assistant.json";
export const isAssistant = (dir: string): boolean => existsSync(join(dir, assistantFile));

type Place = Pick<Artifact, "dir" | "node" | "settings" | "home">;

/** What has been answered, for this stage or another of the same scope, is not asked again. */
export async function openAssistant(place: Place, around: Surroundings): Promise<Assistant> {
  const path = join(place.dir, assistantFile);
  const file = JSON.parse(await readFile(path, "utf8")) as AssistantFile;
  switch (file.kind) {
    case "api":
      return (await import("./api.ts")).openApi(file, place, around);
    case "local":
      return (await import("./local.ts")).openLocal(place, around);
    default:
      throw new TaskError({
        code: "not-an-assistant",
        message: `there is no assistant of kind ${JSON.stringify((file as { kind: unknown }).kind)}`,
        where: path,
        help: "a newer align may have made this one",
      });
  }
}

/** The reply that is kept for a question, or a new one that is kept from now on. */
export function keptReply(
  journal: RowJournal | undefined,
  { id, messages, sampling }: Ask,
  answer: () => Promise<Reply>,
): Promise<Reply> {
  const question = { id, messages: messages.map((m) => ({ ...m })), sampling: { ...sampling } };
  return once(journal, ["ask", JSON.parse(JSON.stringify(question)) as Json], answer);
}
