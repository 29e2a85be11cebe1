// Judges: what gives a response a number. Opened from the artifact that `lexicon` or `script` left.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type RowData, type TaskContext, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";

export interface JudgeRequest {
  /** A text, or messages. */
  readonly prompt: Json;
  readonly response: string;
  /** The row that both come from. */
  readonly row: RowData;
}

export interface Score {
  /** Finite; higher is better. */
  readonly score: number;
  readonly rationale?: string;
  readonly aspects?: Readonly<Record<string, number>>;
}

export interface Judge {
  readonly kind: string;
  score(request: JudgeRequest): Promise<Score>;
}

/** What a judge that computes needs: where to, and with how many threads. */
export type Resources = Pick<TaskContext, "threads" | "device">;

/** judge.json: `kind` says which opener reads the rest. */
export interface JudgeFile {
  readonly kind: string;
  readonly version: number;
}

type Opener = (dir: string, file: JudgeFile) => Promise<Judge>;

const openers: Readonly<Record<string, () => Promise<Opener>>> = {
  lexicon: () => import("../lexicon/lexicon-judge.ts").then((m) => m.openLexicon),
  script: () => import("../lexicon/script-judge.ts").then((m) => m.openScript),
  world: () => import("../world/world-judge.ts").then((m) => m.openWorldJudge),
};

const one: Resources = { threads: 1, device: "cpu" };

export async function openJudge(dir: string, resources: Resources = one): Promise<Judge> {
  const path = join(dir, "judge.json");
  if (!existsSync(path) && existsSync(join(dir, "config.json"))) {
    return (await import("../reward/reward-judge.ts")).openRewardJudge(dir, resources);
  }
  let file: JudgeFile;
  try {
    file = JSON.parse(await readFile(path, "utf8")) as JudgeFile;
  } catch (error) {
    throw new TaskError({
      code: "not-a-judge",
      message: `this is not a judge: ${(error as Error).message}`,
      where: path,
    });
  }
  const opener = Object.hasOwn(openers, file.kind) ? openers[file.kind] : undefined;
  if (opener && file.version === 1) return (await opener())(dir, file);
  throw new TaskError({
    code: "not-a-judge",
    message: `there is no judge of kind ${JSON.stringify(file.kind)}, version ${file.version}`,
    where: path,
    help: `kinds are ${Object.keys(openers).join(", ")}; a newer align may have made this one`,
  });
}

/** A score as it must be, or what is wrong with it. */
export function checkedScore(value: unknown, what: string): Score {
  const problem = (message: string): TaskError =>
    new TaskError({
      code: "score-not-finite",
      message: `${what}: ${message}`,
      help: "a judge gives every response a finite number, or { score, rationale?, aspects? }",
    });
  if (typeof value === "number") {
    if (Number.isFinite(value)) return { score: value };
    throw problem(`the score is ${value}`);
  }
  const { score, rationale, aspects } = (value ?? {}) as Record<string, unknown>;
  if (typeof score !== "number" || !Number.isFinite(score))
    throw problem(`the score is ${shown(score ?? value)}`);
  if (rationale !== undefined && typeof rationale !== "string") {
    throw problem(`the rationale is ${shown(rationale)}`);
  }
  for (const [name, aspect] of Object.entries(aspects ?? {})) {
    if (typeof aspect !== "number" || !Number.isFinite(aspect)) {
      throw problem(`the aspect ${name} is ${shown(aspect)}`);
    }
  }
  return {
    score,
    ...(rationale === undefined ? {} : { rationale }),
    ...(aspects === undefined ? {} : { aspects: aspects as Record<string, number> }),
  };
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : (JSON.stringify(value) ?? String(value));
}
