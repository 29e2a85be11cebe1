// Judges: what gives a response a number. Opened from the artifact that a declaration or stage left.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Artifact, type RowData, type TaskContext, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { isAssistant, type Surroundings } from "../assistant/assistant.ts";
import type { VerdictParams } from "./assistant-judge.ts";

export interface JudgeRequest {
  /** A text, or messages. */
  readonly prompt: Json;
  readonly response: string;
  /** The row that both come from. */
  readonly row: RowData;
  /** A right answer, where there is one. */
  readonly reference?: string;
}

export interface PairRequest extends Omit<JudgeRequest, "response"> {
  /** In the order in which they are shown. */
  readonly responses: readonly [string, string];
}

/** A verdict that could not be read, also when it was asked for again. */
export interface Malformed {
  readonly malformed: string;
}

export interface Score {
  /** Finite; higher is better. */
  readonly score: number;
  readonly rationale?: string;
  readonly aspects?: Readonly<Record<string, number>>;
}

export interface Judge {
  readonly kind: string;
  /** How many may be asked at once; one at a time where nothing is said. */
  readonly concurrency?: number;
  score(request: JudgeRequest): Promise<Score>;
  /** Of many at once, for judges that are faster so; in order. */
  scoreAll?(requests: readonly JudgeRequest[]): Promise<Score[]>;
  /** Of a judge whose verdicts may be malformed: the same, without an exception for those. It keeps its own journal. */
  rate?(request: JudgeRequest): Promise<Score | Malformed>;
  /** Of a judge that reads two responses side by side. */
  prefer?(
    request: PairRequest,
  ): Promise<{ readonly preferred: "A" | "B" | "tie"; readonly rationale: string } | Malformed>;
  dispose?(): Promise<void>;
}

/** What a judge that computes needs: where to, and with how many threads. */
export type Resources = Pick<TaskContext, "threads" | "device"> & Partial<Surroundings>;

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

/** `verdicts` is for assistants: how they are asked. */
export async function openJudge(
  place: string | Pick<Artifact, "dir" | "node" | "settings" | "home">,
  resources: Resources = one,
  verdicts?: VerdictParams,
): Promise<Judge> {
  const { dir, ...about } = typeof place === "string" ? { dir: place, node: "the judge" } : place;
  if (isAssistant(dir)) {
    const signal = resources.signal ?? new AbortController().signal;
    const { openAssistantJudge } = await import("./assistant-judge.ts");
    return openAssistantJudge({ dir, ...about }, { ...resources, signal }, verdicts);
  }
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
