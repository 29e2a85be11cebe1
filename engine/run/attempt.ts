// Makes the artifact of one task: claims its key, lays out its inputs, has a worker do it, and commits the result.
import type { EventBody } from "../events.ts";
import type { KeyTree } from "../plan/key.ts";
import type { PlannedFile, PlanTask } from "../plan/plan.ts";
import type { Clock } from "../ports.ts";
import { type Problem, problemOf, problemOfSystem, ROOM } from "../problem.ts";
import type { ActionRecord, Attempt, Store } from "../store/store.ts";
import { type Artifact, TaskError } from "../task.ts";
import { isShareable } from "./pool.ts";
import type { Exit, FromWorker, Spawn, Task } from "./protocol.ts";

export interface Surroundings {
  readonly run: string;
  readonly store: Store;
  spawn(task: Task): Spawn;
  readonly clock: Clock;
  readonly device: string;
  /** For a task that runs alone. */
  readonly threads: number;
  readonly jobs: number;
  readonly graceMs: number;
  /** For one try at a task; what it has done until then is kept in its checkpoints. */
  readonly timeoutMs?: number;
  readonly rehearsal: boolean;
  emit(event: EventBody): void;
  /** Of a model among the inputs of a task. */
  settingsOf(node: string): Pick<Artifact, "settings" | "home">;
}

export interface Work {
  readonly task: PlanTask;
  readonly key: string;
  readonly keyTree: KeyTree;
  /** Of a row-wise task. */
  readonly rows?: string;
  /** How often memory ran out. */
  readonly outOfMemory: number;
  /** Digests of the artifacts it reads, by node. */
  readonly inputs: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

export type Ending =
  | { readonly how: "built" | "cached"; readonly record: ActionRecord; readonly peakMemoryBytes?: number }
  | {
      readonly how: "failed";
      readonly error: Problem;
      readonly log?: string;
      readonly tail?: readonly string[];
    }
  | { readonly how: "damaged"; readonly input: string; readonly damage: string }
  | { readonly how: "cancelled" };

/** How often another run's progress is looked at. */
const POLL_MS = 200;
/** A worker says that it is alive every two seconds, unless it computes without a pause. */
const SILENCE_MS = 60_000;

/** Failures of which the last lines of the log say more than we can. */
const toldByLog = new Set(["bug", "command-failed"]);

export async function attempt(work: Work, around: Surroundings): Promise<Ending> {
  const { task, key, signal } = work;
  const { store, clock } = around;
  let announced = false;
  try {
    while (!signal.aborted) {
      const claim = await store.claim(key);
      try {
        const { record } = await store.lookup(key);
        if (record) return { how: "cached", record };
        if (claim.mine) return await build(work, around);
      } finally {
        if (claim.mine) claim.release();
      }
      if (!announced) around.emit({ type: "task-waiting", node: task.id, holder: claim.holder });
      announced = true;
      await pause(POLL_MS, clock, signal);
    }
    return { how: "cancelled" };
  } catch (error) {
    if (error instanceof TaskError) return { how: "failed", error: problemOf(error) };
    const problem = problemOfSystem(error, `work in ${store.root}`);
    if (problem) return { how: "failed", error: problem };
    throw error;
  }
}

async function build(work: Work, around: Surroundings): Promise<Ending> {
  const { task, key, keyTree, rows, signal } = work;
  const { store, clock } = around;
  const rowsOf = rows === undefined ? {} : { rows };
  const artifacts = new Map<string, Artifact>();
  for (const [node, digest] of work.inputs) {
    const laid = await store.materialise(digest);
    if ("damage" in laid) return { how: "damaged", input: node, damage: laid.damage };
    artifacts.set(node, { dir: laid.dir, digest, node, ...around.settingsOf(node) });
  }
  await refuseChangedFiles(task, store, "since the plan was made");

  const pooled = isShareable(task);
  const current = await store.begin({ key, node: task.id, run: around.run, pooled, ...rowsOf });
  try {
    const ending = await carryOut(current, artifacts);
    // Asked before what was written so far is removed.
    return ending.how === "failed" && store.isFull() ? blamingDisk(ending, store) : ending;
  } finally {
    await current.discard();
  }

  async function carryOut(current: Attempt, artifacts: ReadonlyMap<string, Artifact>): Promise<Ending> {
    around.emit({
      type: "task-started",
      node: task.id,
      key,
      reason: task.reason,
      log: current.log,
      ...rowsOf,
    });
    const started = clock.now();
    const order = { ...orderOf(task, artifacts, current, around), outOfMemory: work.outOfMemory };
    const { said, exit, tail, late } = await converse(order, current, signal, around);
    if (late && said?.type !== "done")
      return { how: "failed", error: lateness(around.timeoutMs!), log: current.log };
    if (said?.type === "failed") {
      if (signal.aborted) return { how: "cancelled" };
      const { error } = said;
      return {
        how: "failed",
        error,
        log: current.log,
        ...(toldByLog.has(error.code) ? { tail: tail() } : {}),
      };
    }
    if (said?.type !== "done") {
      if (signal.aborted) return { how: "cancelled" };
      return { how: "failed", error: crashOf(exit), log: current.log, tail: tail() };
    }
    await refuseChangedFiles(task, store, "while it was read");
    const record = await current.commit({
      key,
      ops: task.calls.map((call) => call.op),
      keyTree,
      ...rowsOf,
      metrics: said.metrics,
      ...(said.summary === undefined ? {} : { summary: said.summary }),
      seconds: (clock.now() - started) / 1000,
    });
    const { peakMemoryBytes } = said;
    return { how: "built", record, ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes }) };
  }
}

/** Whatever a task says of it. */
function blamingDisk(ending: Ending & { how: "failed" }, { root }: Store): Ending {
  const message = `the disk is full (${root}): ${ending.error.message}`;
  return { ...ending, error: { code: "disk-full", message, help: ROOM } };
}

/** Gives a worker its order and listens until its process is gone: only then does nothing write any more. */
async function converse(
  order: Task,
  { log, employ }: Attempt,
  signal: AbortSignal,
  { spawn, clock, graceMs, timeoutMs, emit }: Surroundings,
): Promise<{ said: FromWorker | undefined; exit: Exit; late: boolean; tail: () => readonly string[] }> {
  let said: FromWorker | undefined;
  let heard = clock.now();
  const onMessage = (message: FromWorker): void => {
    heard = clock.now();
    if (message.type === "progress") emit({ ...message, type: "task-progress", node: order.node });
    else if (message.type !== "alive") said = message;
  };
  const worker = spawn(order)({ log, onMessage });
  // Before it has anything to do.
  if (worker.pid !== undefined) employ(worker.pid);
  worker.send({ type: "task", task: order });

  let offSilence = (): void => {};
  const watch = (): void => {
    offSilence = clock.after(SILENCE_MS, () => {
      const seconds = Math.round((clock.now() - heard) / 1000);
      if (seconds * 1000 >= SILENCE_MS) emit({ type: "task-silent", node: order.node, seconds });
      watch();
    });
  };
  watch();

  let offKill = (): void => {};
  const cancel = (): void => {
    worker.send({ type: "abort" });
    offKill = clock.after(graceMs, () => worker.kill());
  };
  let late = false;
  const offLate =
    timeoutMs === undefined
      ? () => {}
      : clock.after(timeoutMs, () => {
          late = true;
          cancel();
        });
  if (signal.aborted) cancel();
  signal.addEventListener("abort", cancel);
  try {
    const exit = await worker.exited;
    return { said, exit, late, tail: () => worker.tail() };
  } finally {
    signal.removeEventListener("abort", cancel);
    offSilence();
    offLate();
    offKill();
    // What it started and left behind must not outlive it.
    worker.kill();
  }
}

function orderOf(
  task: PlanTask,
  artifacts: ReadonlyMap<string, Artifact>,
  { out, scratch, rows }: Attempt,
  { device, threads, jobs, rehearsal }: Surroundings,
): Task {
  return {
    node: task.id,
    kind: task.kind,
    ...(task.from === undefined ? {} : { from: artifacts.get(task.from)! }),
    calls: task.calls.map((call) => ({
      op: call.op,
      params: call.params,
      dir: call.dir,
      inputs: Object.fromEntries(
        Object.entries(call.inputs).map(([input, nodes]) => [
          input,
          nodes.map((node) => artifacts.get(node)!),
        ]),
      ),
      files: Object.fromEntries(
        Object.entries(call.files).map(([param, files]) => [param, files.map((file) => file.path)]),
      ),
    })),
    out,
    scratch,
    ...(rows === undefined ? {} : { rows }),
    ...(rehearsal ? { rehearsal } : {}),
    device,
    threads: task.heavy ? threads : Math.max(1, Math.floor(threads / jobs)),
  };
}

/** A result made from other bytes than the key says must not be kept under that key. */
async function refuseChangedFiles(task: PlanTask, store: Store, when: string): Promise<void> {
  for (const file of task.calls.flatMap((call) => Object.values(call.files).flat())) {
    if (await isUnchanged(file, store)) continue;
    throw new TaskError({
      code: "file-changed",
      message: `${file.name} changed ${when}`,
      help: "run again when nothing writes to it any more",
    });
  }
}

async function isUnchanged(file: PlannedFile, store: Store): Promise<boolean> {
  if (store.stampOf(file.path) === file.stamp) return true;
  return (await store.digestFile(file.path))?.sha256 === file.sha256; // only touched
}

function lateness(timeoutMs: number): Problem {
  return {
    code: "timeout",
    message: `it was not done after ${timeoutMs / 1000} s`,
    help: "run again to go on from its last checkpoint; --timeout gives it longer",
  };
}

function crashOf({ code, signal, problem }: Exit): Problem {
  if (problem !== undefined)
    return {
      code: "not-started",
      message: `its worker could not be started: ${problem}`,
      transient: true,
    };
  if (signal === "SIGKILL") {
    return {
      code: "killed",
      message: "its worker was killed by the system (SIGKILL), most likely because memory ran out",
      help: "use a smaller batch_size or model, or fewer --jobs",
    };
  }
  if (signal !== undefined) {
    return {
      code: "crashed",
      message: `its worker crashed (${signal})`,
      help: "the log has what it printed last",
      transient: true,
    };
  }
  return {
    code: "crashed",
    message: `its worker exited with status ${code ?? "unknown"} and without a result`,
    help: "the log has what it printed last",
  };
}

export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const off = clock.after(ms, done);
    function done(): void {
      off();
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
