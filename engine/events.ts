// Everything that happens in a run, as data: the display, the journal, `--json` and reports are views of it.
import type { TaskState } from "./plan/plan.ts";
import type { Problem } from "./problem.ts";
import type { Progress } from "./task.ts";

export type Outcome =
  | "done"
  | "failed"
  /** Everything ran and an `expect` does not hold. */
  | "expectation-failed"
  | "interrupted";

interface OfTask {
  readonly node: string;
}

interface Artifact extends OfTask {
  readonly key: string;
  /** Digest of the artifact. */
  readonly tree: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly summary?: string;
  /** What it took to make; of a cached task, what was saved. */
  readonly seconds: number;
}

export interface RunStarted {
  readonly type: "run-started";
  readonly run: string;
  readonly pipeline: string;
  readonly path: string;
  readonly profile?: string;
  readonly store: string;
  /** Attempts of dead runs that were removed. */
  readonly swept: number;
}
export interface Planned {
  readonly type: "plan";
  readonly tasks: readonly (OfTask & {
    readonly kind: "dataset" | "model" | "mixture" | "stage";
    readonly ops: readonly string[];
    readonly needs: readonly string[];
    readonly state: TaskState;
    readonly reason: string;
  })[];
}
export interface ArtifactDamaged extends OfTask {
  readonly type: "artifact-damaged";
  readonly damage: string;
}
export interface TaskCached extends Artifact {
  readonly type: "task-cached";
}
/** Another run builds the same artifact right now. */
export interface TaskWaiting extends OfTask {
  readonly type: "task-waiting";
  readonly holder: string;
}
export interface TaskStarted extends OfTask {
  readonly type: "task-started";
  readonly key: string;
  readonly reason: string;
  readonly log: string;
  /** Of a row-wise task: where its rows are kept. */
  readonly rows?: string;
}
export interface TaskProgress extends OfTask, Progress {
  readonly type: "task-progress";
}
/** The worker of a task has given no sign of life for a while. */
export interface TaskSilent extends OfTask {
  readonly type: "task-silent";
  readonly seconds: number;
}
/** It failed in a way that may pass, and is tried again. */
export interface TaskRetried extends OfTask {
  readonly type: "task-retried";
  readonly error: Problem;
  /** The second, the third, … */
  readonly attempt: number;
  /** After this long. */
  readonly seconds: number;
}
export interface TaskFinished extends Artifact {
  readonly type: "task-finished";
  readonly peakMemoryBytes?: number;
}
export interface TaskFailed extends OfTask {
  readonly type: "task-failed";
  readonly error: Problem;
  readonly log?: string;
  /** Last lines of the log, when the worker crashed. */
  readonly tail?: readonly string[];
}
/** Something about a task that its numbers do not show. */
export interface TaskWarned extends OfTask {
  readonly type: "task-warned";
  readonly warning: Problem;
}
export interface TaskSkipped extends OfTask {
  readonly type: "task-skipped";
  /** The failed task that is to blame; undefined when the run was interrupted. */
  readonly because?: string;
}
export interface ExpectationChecked {
  readonly type: "expectation";
  readonly text: string;
  readonly holds: boolean;
  readonly message?: string;
  /** Why it has no value, when it has none. */
  readonly problem?: string;
  /** The expression with the value of every part below it. */
  readonly explanation: readonly string[];
  /** `result.gain_low = -0.02`, for every metric that is read. */
  readonly values: readonly { readonly text: string; readonly value: number | undefined }[];
}
export interface Published extends OfTask {
  readonly type: "published";
  readonly to: string;
  /** False when everything was there already. */
  readonly wrote: boolean;
}
/** Not published, because an expectation does not hold or the copy failed. */
export interface PublishWithheld extends OfTask {
  readonly type: "publish-withheld";
  readonly to: string;
  readonly error: Problem;
}
export interface RunFinished {
  readonly type: "run-finished";
  readonly outcome: Outcome;
  readonly ran: number;
  readonly cached: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

export type EventBody =
  | RunStarted
  | Planned
  | ArtifactDamaged
  | TaskCached
  | TaskWaiting
  | TaskStarted
  | TaskProgress
  | TaskSilent
  | TaskRetried
  | TaskFinished
  | TaskFailed
  | TaskWarned
  | TaskSkipped
  | ExpectationChecked
  | Published
  | PublishWithheld
  | RunFinished;

/** `at`: ISO 8601, UTC. */
export type Event = { readonly at: string } & EventBody;
