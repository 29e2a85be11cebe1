// Performs what the scheduler decides, and tells everything that happens.
import { availableParallelism } from "node:os";
import type { Event, EventBody, Outcome } from "../events.ts";
import { eventsName, HistoryWriter, nameOfRun, recordRun } from "../journal.ts";
import { artifactOf } from "../plan/graph.ts";
import { type KeyTree, keyOf, rowScopeOf } from "../plan/key.ts";
import type { Plan, PlannedArtifact, PlanTask } from "../plan/plan.ts";
import { type Clock, type Processes, systemClock, systemProcesses } from "../ports.ts";
import { explained, problemOf, problemOfSystem } from "../problem.ts";
import type { ActionRecord, Log, Store } from "../store/store.ts";
import { type Artifact, TaskError } from "../task.ts";
import { attempt, type Ending, pause, type Surroundings, type Work } from "./attempt.ts";
import { checkExpectations, type Finish, publishAll } from "./conclude.ts";
import { sharedRows } from "./held-out.ts";
import { isShareable, Pool } from "./pool.ts";
import type { Spawn } from "./protocol.ts";
import { Queue } from "./queue.ts";
import { type Action, createScheduler, type Scheduler, type SchedulerEvent } from "./scheduler.ts";

export interface RunOptions {
  readonly store: Store;
  readonly spawn: Spawn;
  /** How many light tasks run side by side; heavy ones always run alone. Default: the number of cores. */
  readonly jobs?: number;
  /** After a failure, go on with what does not depend on it. */
  readonly keepGoing?: boolean;
  /** How often a task is tried again whose failure may pass. Default: 2. */
  readonly retries?: number;
  /** For one try at a task. Default: none. */
  readonly timeoutMs?: number;
  /** Aborted on Ctrl-C: workers are told, and killed when they have not ended after `graceMs`. */
  readonly signal?: AbortSignal;
  readonly graceMs?: number;
  /** Bytes that tasks side by side may take together, and what single ones are expected to take. */
  readonly memory?: { readonly budget: number; readonly of: (node: string) => number | undefined };
  readonly device?: string;
  /** For a task that runs alone; tasks side by side share them. Default: the number of cores. */
  readonly threads?: number;
  /** Every task works on the first rows only; into a store of its own, because keys do not say so. */
  readonly rehearsal?: boolean;
  /** What `publish … to` is relative to. Default: the folder of the .align file. */
  readonly publishRoot?: string;
  /** Called for every publication that was made, to add what its parameters ask for. */
  readonly finishPublication?: Finish;
  readonly clock?: Clock;
  readonly processes?: Processes;
}

/** Runs a plan. The events end with `run-finished`; whoever stops reading before that aborts the run. */
export async function* run(plan: Plan, options: RunOptions): AsyncGenerator<Event, void, undefined> {
  const events = new Queue<Event>();
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener("abort", abort);
  const running = new Run(plan, options, stop.signal, (event) => events.push(event)).perform().then(
    () => events.close(),
    (error) => events.fail(error),
  );
  try {
    yield* events;
  } finally {
    abort();
    options.signal?.removeEventListener("abort", abort);
    await running;
  }
}

const RETRIES = 2;
/** Before the second try; each later pause is four times as long. */
const BACKOFF_MS = 1_000;
/** Half the micro-batch, a quarter, …; the last is a sixteenth. */
const SHRINKS = 4;
/** Enough to write the checkpoint of a large model. */
const GRACE_MS = 30_000;

let runs = 0;

class Run {
  readonly #plan: Plan;
  readonly #options: RunOptions;
  readonly #signal: AbortSignal;
  readonly #around: Surroundings;
  readonly #pool: Pool;
  readonly #tell: (event: Event) => void;
  readonly #clock: Clock;
  readonly #store: Store;
  readonly #id: string;
  readonly #history: HistoryWriter;
  readonly #scheduler: Scheduler;
  readonly #tasks: ReadonlyMap<string, PlanTask>;
  readonly #artifacts = new Map<string, PlannedArtifact>();
  readonly #keys = new Map<string, { readonly key: string; readonly tree: KeyTree }>();
  /** Nodes whose artifact turned out damaged: what the plan says of them is not true any more. */
  readonly #distrusted = new Set<string>();
  readonly #aborts = new Map<string, AbortController>();
  readonly #pending: SchedulerEvent[] = [];
  /** Looks at rows that ought to be apart, under way. */
  readonly #looks: Promise<void>[] = [];
  readonly #counts = { ran: 0, cached: 0, failed: 0, skipped: 0 };
  #draining = false;
  #journal: Log | undefined;
  /** Not in the journal yet: what happens in one turn of the loop is written at once. */
  #unwritten: Event[] = [];
  #finish: () => void = () => {};
  #crash: (error: unknown) => void = () => {};

  constructor(plan: Plan, options: RunOptions, signal: AbortSignal, tell: (event: Event) => void) {
    this.#plan = plan;
    this.#options = options;
    this.#signal = signal;
    this.#tell = tell;
    this.#clock = options.clock ?? systemClock;
    this.#store = options.store;
    const { pid } = (options.processes ?? systemProcesses).self();
    this.#id = nameOfRun(this.#clock.now(), pid, runs++);
    this.#tasks = new Map(plan.tasks.map((task) => [task.id, task]));
    this.#history = new HistoryWriter(this.#store, plan.pipeline, this.#id);
    const cores = availableParallelism();
    const jobs = Math.max(1, options.jobs ?? cores);
    const onGpu = ["cuda", "webgpu"].includes(options.device ?? "");
    const heavy = onGpu ? { cpu: 1, gpu: 1 } : { cpu: jobs };
    const { memory } = options;
    const tasks = plan.tasks.map((task) => ({
      ...task,
      takes: { ...(task.heavy ? heavy : { cpu: 1 }), memory: memory?.of(task.id) ?? 0 },
    }));
    this.#scheduler = createScheduler(tasks, {
      budget: { cpu: jobs, ...(onGpu ? { gpu: 1 } : {}), ...(memory ? { memory: memory.budget } : {}) },
      keepGoing: options.keepGoing ?? false,
    });
    this.#pool = new Pool(options.spawn);
    this.#around = {
      run: this.#id,
      store: this.#store,
      spawn: (task) => (isShareable(task) ? this.#pool.spawn : options.spawn),
      clock: this.#clock,
      device: options.device ?? "auto",
      threads: options.threads ?? cores,
      jobs,
      graceMs: options.graceMs ?? GRACE_MS,
      rehearsal: options.rehearsal ?? false,
      ...(options.timeoutMs === undefined ? {} : { timeoutMs: options.timeoutMs }),
      emit: (event) => this.#emit(event),
      settingsOf: (node) => settingsOf(this.#tasks.get(node)),
    };
  }

  async perform(): Promise<void> {
    const started = this.#clock.now();
    const { pipeline, path, profile } = this.#plan;
    const swept = await explained(`write to ${this.#store.root}`, async () => {
      recordRun(this.#store, pipeline, this.#id);
      return this.#store.sweep();
    });
    this.#journal = this.#store.log(eventsName(this.#id));
    this.#emit({
      type: "run-started",
      run: this.#id,
      pipeline,
      path,
      ...(profile === undefined ? {} : { profile }),
      store: this.#store.root,
      swept,
    });
    this.#emit({
      type: "plan",
      tasks: this.#plan.tasks.map(({ id, kind, calls, needs, state, reason }) => ({
        node: id,
        kind,
        ops: calls.map((call) => call.op),
        needs,
        state,
        reason,
      })),
    });
    for (const { id, damage } of this.#plan.tasks) {
      if (damage !== undefined) this.#emit({ type: "artifact-damaged", node: id, damage });
    }

    const abort = (): void => this.#dispatch({ type: "abort" });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#finish = resolve;
        this.#crash = reject;
        if (this.#signal.aborted) abort();
        else this.#signal.addEventListener("abort", abort);
        this.#dispatch({ type: "start" });
      });
    } finally {
      this.#signal.removeEventListener("abort", abort);
      for (const controller of this.#aborts.values()) controller.abort();
      this.#pool.close();
      this.#store.flush();
    }
    await Promise.all(this.#looks);
    const outcome = await this.#conclude();
    this.#store.flush();
    const seconds = (this.#clock.now() - started) / 1000;
    this.#emit({ type: "run-finished", outcome, ...this.#counts, seconds });
    this.#write();
  }

  async #conclude(): Promise<Outcome> {
    if (this.#counts.failed > 0) return "failed";
    if (this.#signal.aborted) return "interrupted";
    const emit = (event: EventBody): void => this.#emit(event);
    const { publishRoot: root, finishPublication: finish } = this.#options;
    const expectationsHold = checkExpectations(this.#plan, this.#artifacts, emit);
    const where = {
      store: this.#store,
      expectationsHold,
      ...(root === undefined ? {} : { root }),
      ...(finish === undefined ? {} : { finish }),
    };
    if (!(await publishAll(this.#plan, this.#artifacts, where, emit))) return "failed";
    return expectationsHold ? "done" : "expectation-failed";
  }

  /** Not by recursion: a chain of cached tasks may be long. */
  #dispatch(event: SchedulerEvent): void {
    this.#pending.push(event);
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next = this.#pending.shift(); next; next = this.#pending.shift()) {
        for (const action of this.#scheduler.next(next)) this.#act(action);
      }
    } catch (error) {
      this.#crash(error);
    } finally {
      this.#draining = false;
    }
  }

  #act(action: Action): void {
    switch (action.type) {
      case "look-up":
        this.#lookUp(this.#tasks.get(action.id)!);
        break;
      case "run":
        this.#start(this.#tasks.get(action.id)!);
        break;
      case "cancel":
        this.#aborts.get(action.id)?.abort();
        break;
      case "skip": {
        this.#counts.skipped++;
        const { id: node, because } = action;
        this.#emit({ type: "task-skipped", node, ...(because === undefined ? {} : { because }) });
        break;
      }
      case "finish":
        this.#finish();
        break;
    }
  }

  /** Everything it needs is there, so its key can be known. */
  #lookUp(task: PlanTask): void {
    const digestOf = (node: string): string | undefined => this.#artifacts.get(node)?.tree;
    const { key, tree } = keyOf(task, digestOf, this.#plan.numerics);
    this.#keys.set(task.id, { key: key!, tree });
    if (task.artifact && task.key === key && !this.#distrusted.has(task.id)) {
      this.#done(task, task.artifact, "cached");
      return;
    }
    this.#watch(task, async () => {
      const { record, damage } = await this.#store.lookup(key!);
      if (damage !== undefined && !this.#distrusted.has(task.id)) {
        this.#emit({ type: "artifact-damaged", node: task.id, damage });
      }
      if (record) this.#done(task, artifactOf(record), "cached");
      else this.#dispatch({ type: "missing", id: task.id });
    });
  }

  #start(task: PlanTask): void {
    const { key, tree } = this.#keys.get(task.id)!;
    const inputs = new Map(task.needs.map((node) => [node, this.#artifacts.get(node)!.tree]));
    const abort = new AbortController();
    this.#aborts.set(task.id, abort);
    const rows = rowScopeOf(task, (node) => inputs.get(node), this.#plan.numerics);
    const work = {
      ...{ task, key, keyTree: tree, inputs, outOfMemory: 0, signal: abort.signal },
      ...(rows === undefined ? {} : { rows }),
    };
    this.#watch(task, async () => {
      const ending = await this.#insist(work);
      this.#aborts.delete(task.id);
      this.#end(task, ending);
    });
  }

  /** Tries again what may pass, after a pause that grows; with less memory what ran out of it. */
  async #insist(work: Work): Promise<Ending> {
    const { task, signal } = work;
    const { retries = RETRIES } = this.#options;
    const shrinks = task.calls.some((call) => call.shrinks);
    let [failures, outOfMemory] = [0, 0];
    for (;;) {
      const ending = await attempt({ ...work, outOfMemory }, this.#around);
      if (ending.how !== "failed" || signal.aborted) return ending;
      const { error } = ending;
      const smaller = error.code === "killed" && shrinks && outOfMemory < SHRINKS;
      if (!smaller && !(error.transient && failures < retries)) return ending;
      const pauseMs = smaller ? 0 : BACKOFF_MS * 4 ** failures;
      if (smaller) outOfMemory++;
      else failures++;
      const attempts = 1 + failures + outOfMemory;
      this.#emit({ type: "task-retried", node: task.id, error, attempt: attempts, seconds: pauseMs / 1000 });
      if (pauseMs > 0) await pause(pauseMs, this.#clock, signal);
      if (signal.aborted) return { how: "cancelled" };
    }
  }

  #end(task: PlanTask, ending: Ending): void {
    const node = task.id;
    switch (ending.how) {
      case "built":
      case "cached":
        this.#done(task, artifactOf(ending.record), ending.how, ending);
        break;
      case "failed": {
        const { how, ...what } = ending;
        this.#fail(node, what);
        break;
      }
      case "damaged":
        this.#distrusted.add(ending.input);
        this.#emit({ type: "artifact-damaged", node: ending.input, damage: ending.damage });
        this.#dispatch({ type: "damaged", id: ending.input, by: node });
        break;
      case "cancelled":
        this.#dispatch({ type: "cancelled", id: node });
        break;
    }
  }

  #done(
    task: PlanTask,
    artifact: PlannedArtifact,
    how: "built" | "cached",
    { peakMemoryBytes }: { readonly record?: ActionRecord; readonly peakMemoryBytes?: number } = {},
  ): void {
    const { key, tree } = this.#keys.get(task.id)!;
    this.#artifacts.set(task.id, artifact);
    this.#keepApart(task.id);
    this.#history.has(task.id, key, tree);
    const what = { node: task.id, key, ...artifact };
    if (how === "cached") {
      this.#counts.cached++;
      this.#emit({ type: "task-cached", ...what });
    } else {
      this.#counts.ran++;
      const peak = peakMemoryBytes === undefined ? {} : { peakMemoryBytes };
      this.#emit({ type: "task-finished", ...what, ...peak });
    }
    this.#dispatch({ type: "done", id: task.id });
  }

  /** As soon as both sets of rows are there; what was measured before has been looked at before. */
  #keepApart(node: string): void {
    for (const { training, evaluation, trained, measured } of this.#plan.apart ?? []) {
      if (node !== training && node !== evaluation) continue;
      const [seen, held] = [this.#artifacts.get(training), this.#artifacts.get(evaluation)];
      if (!seen || !held || this.#tasks.get(measured)!.state === "cached") continue;
      const look = async () => {
        const [a, b] = [await this.#store.materialise(seen.tree), await this.#store.materialise(held.tree)];
        if (!("dir" in a && "dir" in b)) return;
        const warning = await sharedRows(
          this.#plan,
          { node: training, dir: a.dir, stage: trained },
          { node: evaluation, dir: b.dir },
        );
        if (warning) this.#emit({ type: "task-warned", node: measured, warning });
      };
      this.#looks.push(
        look().catch((error) => {
          // What is wrong with the rows, the stages that read them say.
          if (!(error instanceof TaskError)) this.#crash(error);
        }),
      );
    }
  }

  #fail(node: string, what: Omit<Extract<Ending, { how: "failed" }>, "how">): void {
    this.#counts.failed++;
    this.#emit({ type: "task-failed", node, ...what });
    this.#dispatch({ type: "failed", id: node });
  }

  /** What the system refuses fails the task; a bug ends the run. */
  #watch(task: PlanTask, work: () => Promise<void>): void {
    work().catch((error) => {
      if (error instanceof TaskError) this.#fail(task.id, { error: problemOf(error) });
      else this.#crash(error);
    });
  }

  #emit(body: EventBody): void {
    const { type, ...rest } = body;
    const event = { type, at: new Date(this.#clock.now()).toISOString(), ...rest } as Event;
    if (this.#unwritten.push(event) === 1) setImmediate(() => this.#write());
    this.#tell(event);
  }

  /** A journal that cannot be written must not take the run with it; artifacts that cannot be will say so. */
  #write(): void {
    const events = this.#unwritten;
    this.#unwritten = [];
    try {
      this.#history.write();
      this.#journal?.append(events);
    } catch (error) {
      this.#journal = undefined;
      if (!problemOfSystem(error, "write the journal")) this.#crash(error);
    }
  }
}

/** The parameters of a model's declaration that are in no key; paths are, by their files. */
function settingsOf(task: PlanTask | undefined): Pick<Artifact, "settings" | "home"> {
  const [call, ...more] = task?.kind === "model" ? task.calls : [];
  if (!call || more.length > 0) return {};
  const settings = Object.entries(call.params).filter(
    ([name]) => !(name in call.keyed || name in call.files),
  );
  return settings.length === 0 ? {} : { settings: Object.fromEntries(settings), home: call.dir };
}
