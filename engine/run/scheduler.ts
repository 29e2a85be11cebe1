// Decides which tasks are looked up, run and skipped, and when. Pure: no I/O, no clock.

/** Amounts by name: cores, GPUs, bytes of memory. */
export type Resources = Readonly<Record<string, number>>;

export interface ScheduledTask {
  readonly id: string;
  readonly needs: readonly string[];
  /** What it takes while it runs. More than there is counts as all there is: it then runs alone. */
  readonly takes: Resources;
}

export interface SchedulerOptions {
  /** What tasks that run side by side may take together; what is not named here is not limited. */
  readonly budget: Resources;
  /** After a failure, go on with everything that does not depend on it. */
  readonly keepGoing: boolean;
}

export type SchedulerEvent =
  | { readonly type: "start" }
  /** The artifact is there: found in the store, or just made. */
  | { readonly type: "done"; readonly id: string }
  /** Looked up and not found. */
  | { readonly type: "missing"; readonly id: string }
  | { readonly type: "failed"; readonly id: string }
  /** Ended because of an abort. */
  | { readonly type: "cancelled"; readonly id: string }
  /** The artifact of a task that was done turned out damaged when `by` was about to read it. */
  | { readonly type: "damaged"; readonly id: string; readonly by: string }
  | { readonly type: "abort" };

export type Action =
  /** Everything it needs is there: compute its key and look for it in the store. */
  | { readonly type: "look-up"; readonly id: string }
  | { readonly type: "run"; readonly id: string }
  /** `because`: the failed task to blame; none after an abort. */
  | { readonly type: "skip"; readonly id: string; readonly because?: string }
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "finish" };

type Status = "blocked" | "looking" | "ready" | "running" | "done" | "failed" | "skipped";

export interface Scheduler {
  /** What to do next. Every event is answered once. */
  next(event: SchedulerEvent): Action[];
  status(id: string): Status;
}

/** `tasks` in topological order; among tasks that could run, the first one does. */
export function createScheduler(tasks: readonly ScheduledTask[], options: SchedulerOptions): Scheduler {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const place = new Map(tasks.map((task, i) => [task.id, i]));
  const status = new Map<string, Status>(tasks.map((task) => [task.id, "blocked"]));
  const missing = new Map(tasks.map((task) => [task.id, task.needs.length]));
  const dependants = new Map<string, string[]>(tasks.map((task) => [task.id, []]));
  for (const task of tasks) for (const need of task.needs) dependants.get(need)!.push(task.id);
  /** In the order in which they are to run. */
  const ready: ScheduledTask[] = [];
  let running = 0;
  let active = 0; // looking, ready or running
  const free = new Map(Object.entries(options.budget));
  let failed: string | undefined;
  let aborted = false;
  let finished = false;

  function next(event: SchedulerEvent): Action[] {
    if (finished) return [];
    const actions: Action[] = [];
    switch (event.type) {
      case "start":
        for (const task of tasks) if (task.needs.length === 0) lookUp(task.id, actions);
        break;
      case "done":
        leave(event.id, "done");
        for (const id of dependants.get(event.id)!) {
          missing.set(id, missing.get(id)! - 1);
          if (missing.get(id) === 0 && status.get(id) === "blocked") lookUp(id, actions);
        }
        break;
      case "missing":
        // Something it needs may have turned out damaged meanwhile.
        if (missing.get(event.id)! > 0) leave(event.id, "blocked");
        else {
          status.set(event.id, "ready");
          const task = byId.get(event.id)!;
          ready.splice(placeIn(ready, task), 0, task);
        }
        break;
      case "failed":
        leave(event.id, "failed");
        failed ??= event.id;
        skipDependants(event.id, event.id, actions);
        break;
      case "cancelled":
        leave(event.id, "blocked");
        break;
      case "damaged":
        leave(event.by, "blocked");
        rebuild(event.id, actions);
        break;
      case "abort":
        aborted = true;
        for (const task of tasks) {
          if (status.get(task.id) === "running") actions.push({ type: "cancel", id: task.id });
        }
        break;
    }
    startReady(actions);
    if (active === 0 || (running === 0 && stopped())) finish(actions);
    return actions;
  }

  const stopped = (): boolean => aborted || (failed !== undefined && !options.keepGoing);

  function lookUp(id: string, actions: Action[]): void {
    if (stopped()) return;
    status.set(id, "looking");
    active++;
    actions.push({ type: "look-up", id });
  }

  function leave(id: string, to: Status): void {
    const from = status.get(id);
    if (from === "running") {
      running--;
      take(byId.get(id)!, -1);
    }
    if (from === "running" || from === "looking" || from === "ready") active--;
    if (from === "ready") unready(id);
    status.set(id, to);
  }

  function unready(id: string): void {
    ready.splice(placeIn(ready, byId.get(id)!), 1);
  }

  /** Back to a task that was done; whatever has not been built from it waits again. */
  function rebuild(id: string, actions: Action[]): void {
    if (status.get(id) !== "done") return;
    status.set(id, "blocked");
    for (const dependant of dependants.get(id)!) {
      missing.set(dependant, missing.get(dependant)! + 1);
      if (status.get(dependant) === "ready") leave(dependant, "blocked");
    }
    if (missing.get(id) === 0) lookUp(id, actions);
  }

  function skipDependants(id: string, because: string, actions: Action[]): void {
    for (const dependant of dependants.get(id)!) {
      const s = status.get(dependant);
      if (s === "skipped" || s === "done" || s === "failed" || s === "running") continue;
      leave(dependant, "skipped");
      actions.push({ type: "skip", id: dependant, because });
      skipDependants(dependant, because, actions);
    }
  }

  /** What fits beside what runs, in the order of the file; what takes all of something comes after what does not. */
  function startReady(actions: Action[]): void {
    if (stopped()) return;
    for (let task = nextToRun(); task; task = nextToRun()) run(task, actions);
  }

  function nextToRun(): ScheduledTask | undefined {
    return isFull() ? undefined : ready.find(fits);
  }

  /** Where it is among tasks in order, or where it belongs; by halving, because thousands may be ready. */
  function placeIn(tasks: readonly ScheduledTask[], task: ScheduledTask): number {
    let [from, to] = [0, tasks.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (comesBefore(tasks[middle]!, task)) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  function comesBefore(a: ScheduledTask, b: ScheduledTask): boolean {
    if (takesAll.has(a.id) !== takesAll.has(b.id)) return takesAll.has(b.id);
    return place.get(a.id)! < place.get(b.id)!;
  }

  const demand = (task: ScheduledTask, name: string): number =>
    Math.min(task.takes[name] ?? 0, options.budget[name]!);
  /** Nothing is left of what every task takes. */
  const always = [...free.keys()].filter((name) => tasks.every((task) => demand(task, name) > 0));
  const takesAll = new Set(tasks.filter(isWhole).map(({ id }) => id));
  function isWhole(task: ScheduledTask): boolean {
    return [...free.keys()].some(
      (name) => demand(task, name) === options.budget[name] && options.budget[name]! > 1,
    );
  }
  const isFull = (): boolean => always.some((name) => free.get(name)! <= 0);
  const fits = (task: ScheduledTask): boolean =>
    [...free].every(([name, amount]) => demand(task, name) <= amount);
  function take(task: ScheduledTask, sign: 1 | -1): void {
    for (const [name, amount] of free) free.set(name, amount - sign * demand(task, name));
  }

  function run(task: ScheduledTask, actions: Action[]): void {
    unready(task.id);
    status.set(task.id, "running");
    running++;
    take(task, 1);
    actions.push({ type: "run", id: task.id });
  }

  /** Nothing can happen any more: whatever has not been reached is skipped. */
  function finish(actions: Action[]): void {
    if (finished) return;
    finished = true;
    for (const task of tasks) {
      const s = status.get(task.id)!;
      if (s === "done" || s === "failed" || s === "skipped") continue;
      status.set(task.id, "skipped");
      actions.push({ type: "skip", id: task.id, ...(aborted || !failed ? {} : { because: failed }) });
    }
    actions.push({ type: "finish" });
  }

  return { next, status: (id) => status.get(id)! };
}
