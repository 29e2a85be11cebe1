// What the orchestrator and a worker say to each other.
import type { Json, ProgramNode } from "../../grammar/index.ts";
import type { Problem } from "../problem.ts";
import type { Artifact, Progress } from "../task.ts";

export interface TaskCall {
  readonly op: string;
  readonly params: Readonly<Record<string, Json>>;
  readonly inputs: Readonly<Record<string, readonly Artifact[]>>;
  readonly files: Readonly<Record<string, readonly string[]>>;
  readonly dir: string;
}

/** Everything a worker needs to know of a task. */
export interface Task {
  readonly node: string;
  readonly kind: ProgramNode["kind"];
  /** The dataset whose rows the transforms start from. */
  readonly from?: Artifact;
  readonly calls: readonly TaskCall[];
  readonly out: string;
  readonly scratch: string;
  /** The journal of a row-wise task. */
  readonly rows?: string;
  readonly device: string;
  readonly threads: number;
  /** Works on the first rows only. */
  readonly rehearsal?: true;
  /** How often memory ran out while this was tried. */
  readonly outOfMemory?: number;
}

export type ToWorker =
  | {
      readonly type: "task";
      readonly task: Task;
      /** Another task may follow: it stays when this one is done. What it prints goes to `log`. */
      readonly stays?: boolean;
      readonly log?: string;
    }
  | { readonly type: "abort" };

export interface TaskResult {
  readonly metrics: Readonly<Record<string, number>>;
  readonly summary?: string;
}

export type FromWorker =
  | { readonly type: "alive" }
  | ({ readonly type: "progress" } & Progress)
  | ({ readonly type: "done"; readonly peakMemoryBytes?: number } & TaskResult)
  | { readonly type: "failed"; readonly error: Problem };

/** How a worker ended, whatever it said before. */
export interface Exit {
  readonly code?: number;
  readonly signal?: string;
  /** It could not even be started. */
  readonly problem?: string;
}

export interface WorkerHandle {
  /** Missing when it could not be started, or is no process of its own. */
  readonly pid?: number;
  readonly exited: Promise<Exit>;
  send(message: ToWorker): void;
  /** The last lines it printed. */
  tail(): readonly string[];
  /** Ends it and everything it started, at once. */
  kill(): void;
}

/** Starts a process that does one task, or those of a pool. */
export type Spawn = (worker: {
  /** Takes stdout and stderr. */
  readonly log: string;
  onMessage(message: FromWorker): void;
}) => WorkerHandle;
