// The process of one task: loads the operations it consists of, runs them, and says how it went.
import { appendFileSync, mkdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { byCodeUnit, canonicalJson } from "../canonical.ts";
import type { Operation } from "../operation.ts";
import { systemClock } from "../ports.ts";
import { asProblem, type Problem, problemOfSystem } from "../problem.ts";
import {
  type Artifact,
  type ModelRun,
  type OutputContext,
  type Progress,
  type Rows,
  type RunResult,
  type SourceRun,
  type StageRun,
  type TaskContext,
  TaskError,
  type TransformRun,
} from "../task.ts";
import type { FromWorker, Task, TaskCall, TaskResult, ToWorker } from "./protocol.ts";
import { openRowJournal } from "./row-journal.ts";
import { readRows, writeRows } from "./rows.ts";
import { sliverOf, some } from "./sliver.ts";

export interface TaskHooks {
  readonly signal: AbortSignal;
  progress(progress: Progress): void;
}

/** Runs a task in this process; its artifact is in `task.out` afterwards. */
export async function runTask(
  task: Task,
  operations: ReadonlyMap<string, Operation>,
  hooks: TaskHooks,
): Promise<TaskResult> {
  const result = await (task.kind === "dataset" ? runDataset : runSingle)(task, operations, hooks);
  // Returning early because of an abort is not a result.
  if (hooks.signal.aborted) throw interrupted();
  return result;
}

/** Source, then transforms, row by row; nothing is held in memory that an operation does not hold itself. */
async function runDataset(
  task: Task,
  operations: ReadonlyMap<string, Operation>,
  hooks: TaskHooks,
): Promise<TaskResult> {
  const write = async (thin: boolean): Promise<number> => {
    let rows: Rows | undefined = task.from && readRows(task.from.dir);
    for (const call of task.calls) {
      const implementation = await load(call, operations);
      const context = contextOf(task, call, hooks);
      rows = rows
        ? (implementation as TransformRun<unknown>).transform(rows, context)
        : (implementation as SourceRun<unknown>).read(context);
      if (thin) rows = some(rows);
    }
    if (!rows) throw new TaskError({ code: "no-rows", message: `dataset ${task.node} has no source` });
    if (task.rehearsal && !thin) rows = some(rows);
    return (await writeRows(task.out, untilAborted(rows, hooks.signal))).rows;
  };
  let rows = await write(task.rehearsal !== undefined);
  // None of a few rows got through: perhaps another one does.
  if (rows === 0 && task.rehearsal) rows = await write(false);
  return { metrics: { rows } };
}

async function* untilAborted(rows: Rows, signal: AbortSignal): Rows {
  for await (const row of rows) {
    if (signal.aborted) throw interrupted();
    yield row;
  }
}

async function runSingle(
  task: Task,
  operations: ReadonlyMap<string, Operation>,
  hooks: TaskHooks,
): Promise<TaskResult> {
  const call = task.calls[0]!;
  const implementation = (await load(call, operations)) as StageRun<unknown> | ModelRun<unknown>;
  mkdirSync(task.scratch, { recursive: true });
  const journal = task.rows === undefined ? undefined : openRowJournal(task.rows);
  const shown = task.rehearsal ? { ...call, inputs: await sliversOf(task, call) } : call;
  const context: OutputContext<unknown> = {
    ...contextOf(task, shown, hooks, paramsFor(task, call, operations)),
    out: task.out,
    ...(journal ? { journal } : {}),
  };
  const { metrics, summary }: RunResult =
    (await implementation.run(context).finally(() => journal?.close())) ?? {};
  if (metrics) {
    refuseNonFinite(metrics);
    await writeFile(join(task.out, "metrics.json"), `${canonicalJson(metrics)}\n`);
  }
  if (summary !== undefined) await writeFile(join(task.out, "summary.txt"), summary);
  return { metrics: metrics ?? {}, ...(summary === undefined ? {} : { summary }) };
}

async function sliversOf(task: Task, call: TaskCall): Promise<TaskCall["inputs"]> {
  const inputs: Record<string, Artifact[]> = {};
  for (const [name, artifacts] of Object.entries(call.inputs)) {
    inputs[name] = [];
    for (const [i, artifact] of artifacts.entries())
      inputs[name].push(await sliverOf(artifact, join(task.scratch, "first-rows", name, String(i))));
  }
  return inputs;
}

function load(call: TaskCall, operations: ReadonlyMap<string, Operation>): ReturnType<Operation["load"]> {
  const operation = operations.get(call.op);
  if (operation) return operation.load();
  throw new TaskError({
    code: "unknown-operation",
    message: `the worker has no operation ${call.op}`,
    help: "build align again: the command and its worker are of different versions",
  });
}

function contextOf(
  task: Task,
  call: TaskCall,
  hooks: TaskHooks,
  params: TaskCall["params"] = call.params,
): TaskContext<unknown> {
  const { inputs, files, dir } = call;
  const { scratch, device, threads, rehearsal } = task;
  const { signal, progress } = hooks;
  const rehearsed = rehearsal ? { rehearsal } : {};
  return { params, inputs, files, dir, scratch, device, threads, ...rehearsed, signal, progress };
}

/** After memory ran out, those that take less of it. */
function paramsFor({ outOfMemory = 0 }: Task, call: TaskCall, operations: ReadonlyMap<string, Operation>) {
  if (outOfMemory === 0) return call.params;
  const less = operations.get(call.op)?.inLessMemory?.(call.params, outOfMemory);
  if (less) return less;
  throw new TaskError({
    code: "out-of-memory",
    message: "memory ran out, also with the smallest micro-batch",
    help: "use a smaller model, shorter sequences or recompute: true",
  });
}

/** A metric that is not a number means that the training diverged; an artifact with it would be cached for ever. */
function refuseNonFinite(metrics: Readonly<Record<string, number>>): void {
  const bad = Object.keys(metrics)
    .sort(byCodeUnit)
    .filter((name) => !Number.isFinite(metrics[name]));
  if (bad.length === 0) return;
  throw new TaskError({
    code: "metric-not-finite",
    message: `${bad.map((name) => `${name} is ${metrics[name]}`).join(", ")}`,
    help: "the numbers left the range of floats; a lower learning rate or gradient clipping usually helps",
  });
}

function interrupted(): TaskError {
  return new TaskError({ code: "interrupted", message: "interrupted" });
}

const HEARTBEAT_MS = 2_000;

/** The whole of a worker's entry file: `serveWorker(operations)`. Does the task it is told, then exits unless it is to stay. */
export function serveWorker(operations: ReadonlyMap<string, Operation>): void {
  let abort = new AbortController();
  dieWithParent();
  process.on("disconnect", endGroup);
  // Ctrl-C reaches every process of the terminal: the orchestrator decides what it means.
  process.on("SIGINT", () => {});
  process.on("message", (message: ToWorker) => {
    if (message.type === "abort") abort.abort();
    else void work(message);
  });
  setInterval(() => say({ type: "alive" }), HEARTBEAT_MS).unref();
  // A log that cannot be written, on a full disk, must not end the task.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

  async function work({ task, stays = false, log }: Extract<ToWorker, { type: "task" }>): Promise<void> {
    abort = new AbortController();
    if (log !== undefined) printTo(log);
    let last: FromWorker;
    try {
      const result = await runTask(task, operations, {
        signal: abort.signal,
        progress: throttled((progress) => say({ type: "progress", ...progress })),
      });
      // Of a process that does many tasks it would not be this one's.
      const peak = stays ? {} : { peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
      last = { type: "done", ...result, ...peak };
    } catch (error) {
      last = { type: "failed", error: failureOf(error, task) };
    }
    process.send!(last, undefined, {}, () => {
      if (!stays) process.exit(0);
    });
  }
}

/** What is printed from now on belongs to another task than the process was started for. */
function printTo(log: string): void {
  const write = (chunk: Uint8Array | string): boolean => {
    try {
      appendFileSync(log, chunk);
    } catch {
      // As with any log.
    }
    return true;
  };
  process.stdout.write = write as typeof process.stdout.write;
  process.stderr.write = write as typeof process.stderr.write;
}

/** With everything that it started. */
function endGroup(): never {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    // Not the leader of a group.
  }
  process.exit(1);
}

function say(message: FromWorker): void {
  if (process.connected) process.send!(message);
}

const PROGRESS_MS = 100;
/** Values for a curve are all reported; bare counters only as often as somebody can see them. */
function throttled(report: (progress: Progress) => void): (progress: Progress) => void {
  let last = 0;
  return (progress) => {
    const now = systemClock.now();
    if (!progress.metrics && progress.done < progress.total && now - last < PROGRESS_MS) return;
    last = now;
    report(progress);
  };
}

/** What the user is told. The stack of a bug goes to the log only. */
function failureOf(error: unknown, task: Task): Problem {
  const problem = asProblem(error) ?? problemOfSystem(error, `write the artifact of ${task.node}`);
  if (problem) return problem;
  console.error(error);
  const ops = task.calls.map((call) => call.op).join(" |> ");
  return {
    code: "bug",
    message: `${ops} failed unexpectedly: ${error instanceof Error ? error.message : String(error)}`,
    help: "this is a bug in align or in the operation; the log has the details",
  };
}

/**
 * A closed channel already ends this process, but not while it computes without a pause. A thread of its own
 * sees that the parent is gone and ends it in any case.
 */
function dieWithParent(): void {
  const watch = `
    const { workerData } = require("node:worker_threads");
    const end = (pid) => { try { process.kill(pid, "SIGKILL"); } catch {} };
    setInterval(() => {
      if (process.ppid === workerData) return;
      end(-process.pid);
      end(process.pid);
    }, 250);
  `;
  const thread = new Worker(watch, { eval: true, workerData: process.ppid, execArgv: [] });
  thread.unref();
}
