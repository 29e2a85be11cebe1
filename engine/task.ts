// What an operation's implementation sees while it runs: its inputs, its output folder and a way to report.
import type { Json } from "../grammar/index.ts";
import type { RowJournal } from "./run/row-journal.ts";

export type RowData = { readonly [column: string]: Json };
export type Rows = AsyncIterable<RowData>;

/** A finished artifact, materialised read-only. Datasets have `rows.jsonl`, models are HF folders, judges have `judge.json`. */
export interface Artifact {
  readonly dir: string;
  /** sha256 of the tree. */
  readonly digest: string;
  /** The declaration it came from, for messages only. */
  readonly node: string;
  /**
   * Of a model: the parameters of its declaration that are in no key, such as where a service is and how fast it may be
   * asked. They are those of this run, whenever the artifact was made.
   */
  readonly settings?: Readonly<Record<string, Json>>;
  /** Of a model with settings: the folder of the file that declares it. */
  readonly home?: string;
}

export interface Progress {
  readonly done: number;
  readonly total: number;
  /** `steps`, `rows`, `tokens`. */
  readonly unit: string;
  /** Live values: loss, grad_norm, learning_rate. Shown and journaled, never part of the artifact. */
  readonly metrics?: Readonly<Record<string, number>>;
}

export interface TaskContext<P = Readonly<Record<string, Json>>> {
  readonly params: P;
  /** By input name; absent optional inputs are absent. */
  readonly inputs: Readonly<Record<string, readonly Artifact[]>>;
  /** Absolute files of a path parameter, in order, by parameter name. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Folder of the file that the call is written in, absolute: where its commands run. */
  readonly dir: string;
  /**
   * A folder that belongs to the key and outlives a crash: what is in it was left by an earlier attempt at the
   * same work, possibly torn in the middle of a write. For checkpoints and what does not fit into memory; gone when the task is done.
   */
  readonly scratch?: string;
  /** How the numerics run. */
  readonly device: string;
  readonly threads: number;
  /** On a sliver of the data, with a model that knows nothing: what rests on chance, such as scores that tie, must not end it. */
  readonly rehearsal?: true;
  progress(progress: Progress): void;
  /** Aborted on Ctrl-C. */
  readonly signal: AbortSignal;
}

export interface OutputContext<P> extends TaskContext<P> {
  /** An empty folder of this attempt's own; what is in it when `run` returns is the artifact. */
  readonly out: string;
  /** Of an operation that declares `rowwise`: what its rows have come to already, whoever asked for them. */
  readonly journal?: RowJournal;
}

export interface RunResult {
  /** What `stage.name` reads; also written to the artifact as `metrics.json`. */
  readonly metrics?: Readonly<Record<string, number>>;
  /** Shown when the run ends and in reports: a table or text. Kept in the artifact as `summary.txt`. */
  readonly summary?: string;
}

export interface SourceRun<P = never> {
  read(ctx: TaskContext<P>): Rows;
}
export interface TransformRun<P = never> {
  transform(rows: Rows, ctx: TaskContext<P>): Rows;
}
export interface ModelRun<P = never> {
  run(ctx: OutputContext<P>): Promise<RunResult | undefined>;
}
export interface StageRun<P = never> {
  run(ctx: OutputContext<P>): Promise<RunResult>;
}

/** A failure that the user can act on: shown without a stack. Anything else thrown by a task is a bug. */
export class TaskError extends Error {
  readonly code: string;
  /** Where, when it is in a data file: `data.jsonl:17`. */
  readonly where: string | undefined;
  readonly help: string | undefined;
  /** May be gone on the next try: a network, a service. The stage is tried again after a while. */
  readonly transient: boolean;

  constructor(problem: {
    code: string;
    message: string;
    where?: string;
    help?: string;
    transient?: boolean;
  }) {
    super(problem.message);
    this.name = "TaskError";
    this.code = problem.code;
    this.where = problem.where;
    this.help = problem.help;
    this.transient = problem.transient ?? false;
  }
}
