import { describe, expect, test } from "vitest";
import {
  type Action,
  createScheduler,
  type Resources,
  type ScheduledTask,
  type SchedulerEvent,
} from "./scheduler.ts";

/** `c: a b` is a task that needs a and b; `!c` a heavy one. */
function schedule(lines: readonly string[], options: { jobs?: number; keepGoing?: boolean } = {}) {
  const tasks = lines.map((line): ScheduledTask => {
    const [id, needs = ""] = line.split(":");
    const takes = { cpu: id!.startsWith("!") ? Number.POSITIVE_INFINITY : 1 };
    return { id: id!.replace("!", ""), takes, needs: needs.split(" ").filter(Boolean) };
  });
  const { jobs = 2, keepGoing = false } = options;
  const scheduler = createScheduler(tasks, { budget: { cpu: jobs }, keepGoing });
  return (event: SchedulerEvent) => scheduler.next(event).map(text);
}

function text(action: Action): string {
  if (action.type === "finish") return "finish";
  const because = action.type === "skip" && action.because ? ` because of ${action.because}` : "";
  return `${action.type} ${action.id}${because}`;
}

const start = { type: "start" } as const;
const done = (id: string) => ({ type: "done", id }) as const;
const missing = (id: string) => ({ type: "missing", id }) as const;
const failed = (id: string) => ({ type: "failed", id }) as const;
const abort = { type: "abort" } as const;

describe("the scheduler", () => {
  test("looks a task up as soon as everything it needs is there", () => {
    const next = schedule(["a", "b", "c: a b"]);
    expect(next(start)).toEqual(["look-up a", "look-up b"]);
    expect(next(done("a"))).toEqual([]);
    expect(next(done("b"))).toEqual(["look-up c"]);
    expect(next(done("c"))).toEqual(["finish"]);
  });

  test("finishes at once when there is nothing to do", () => {
    expect(schedule([])(start)).toEqual(["finish"]);
  });

  test("runs no more light tasks than there are jobs, in the order of the file", () => {
    const next = schedule(["a", "b", "c"], { jobs: 2 });
    next(start);
    expect(next(missing("a"))).toEqual(["run a"]);
    expect(next(missing("c"))).toEqual(["run c"]);
    expect(next(missing("b"))).toEqual([]);
    expect(next(done("a"))).toEqual(["run b"]);
  });

  test("runs a heavy task alone", () => {
    const next = schedule(["a", "!h", "b"], { jobs: 2 });
    next(start);
    expect(next(missing("a"))).toEqual(["run a"]);
    expect(next(missing("h"))).toEqual([]);
    expect(next(done("a"))).toEqual(["run h"]);
    expect(next(missing("b"))).toEqual([]);
    expect(next(done("h"))).toEqual(["run b"]);
    expect(next(done("b"))).toEqual(["finish"]);
  });

  test("runs beside each other what the budgets of cores, GPUs and memory allow together", () => {
    const task = (id: string, takes: Resources) => ({ id, needs: [], takes });
    const tasks = [
      task("train", { cpu: 1, gpu: 1, memory: 30 }),
      task("train2", { cpu: 1, gpu: 1, memory: 10 }),
      task("large", { cpu: 1, memory: 40 }),
      task("small", { cpu: 1, memory: 20 }),
    ];
    const scheduler = createScheduler(tasks, { budget: { cpu: 3, gpu: 1, memory: 60 }, keepGoing: false });
    const next = (event: SchedulerEvent) => scheduler.next(event).map(text);
    next(start);
    expect(next(missing("train"))).toEqual(["run train"]);
    // There is one GPU, and 30 of 60 bytes are taken.
    expect(next(missing("train2"))).toEqual([]);
    expect(next(missing("large"))).toEqual([]);
    expect(next(missing("small"))).toEqual(["run small"]);
    // 20 are taken: 10 and 40 more do not fit both, and the first comes first.
    expect(next(done("train"))).toEqual(["run train2"]);
    expect(next(done("small"))).toEqual(["run large"]);
  });

  test("runs a task alone that wants more than there is", () => {
    const tasks = ["a", "b"].map((id) => ({ id, needs: [], takes: { memory: id === "a" ? 99 : 1 } }));
    const scheduler = createScheduler(tasks, { budget: { memory: 60 }, keepGoing: false });
    scheduler.next(start);
    expect(scheduler.next(missing("a")).map(text)).toEqual(["run a"]);
    expect(scheduler.next(missing("b")).map(text)).toEqual([]);
    expect(scheduler.next(done("a")).map(text)).toEqual(["run b"]);
  });

  test("never runs two heavy tasks side by side", () => {
    const next = schedule(["!g", "!h"], { jobs: 8 });
    next(start);
    expect(next(missing("g"))).toEqual(["run g"]);
    expect(next(missing("h"))).toEqual([]);
    expect(next(done("g"))).toEqual(["run h"]);
  });

  test("after a failure lets what runs end, starts nothing, and says who is to blame", () => {
    const next = schedule(["a", "b", "c: a", "d: b", "e"], { jobs: 2 });
    next(start);
    next(missing("a"));
    next(missing("b"));
    next(missing("e"));
    expect(next(failed("a"))).toEqual(["skip c because of a"]);
    expect(next(done("b"))).toEqual(["skip d because of a", "skip e because of a", "finish"]);
  });

  test("with keepGoing runs everything that does not need the failed task", () => {
    const next = schedule(["a", "b", "c: a", "d: b c", "e: b"], { keepGoing: true });
    next(start);
    next(missing("a"));
    next(missing("b"));
    expect(next(failed("a"))).toEqual(["skip c because of a", "skip d because of a"]);
    expect(next(done("b"))).toEqual(["look-up e"]);
    expect(next(done("e"))).toEqual(["finish"]);
  });

  test("blames each skipped task on the failure above it", () => {
    const next = schedule(["a", "b", "c: a", "d: b"], { keepGoing: true });
    next(start);
    next(missing("a"));
    next(missing("b"));
    expect(next(failed("a"))).toEqual(["skip c because of a"]);
    expect(next(failed("b"))).toEqual(["skip d because of b", "finish"]);
  });

  test("an abort cancels what runs and skips the rest without blame", () => {
    const next = schedule(["a", "b", "c: a"], { jobs: 1 });
    next(start);
    next(missing("a"));
    next(missing("b"));
    expect(next(abort)).toEqual(["cancel a"]);
    expect(next({ type: "cancelled", id: "a" })).toEqual(["skip a", "skip b", "skip c", "finish"]);
  });

  test("keeps a task that ends well in spite of the abort", () => {
    const next = schedule(["a", "b: a"]);
    next(start);
    next(missing("a"));
    next(abort);
    expect(next(done("a"))).toEqual(["skip b", "finish"]);
  });

  test("says nothing more once it has finished", () => {
    const next = schedule(["a", "b"]);
    next(start);
    expect(next(abort)).toEqual(["skip a", "skip b", "finish"]);
    expect(next(done("a"))).toEqual([]);
  });

  test("rebuilds a damaged artifact before whoever reads it", () => {
    const next = schedule(["a", "b: a", "c: a"], { jobs: 2 });
    next(start);
    expect(next(done("a"))).toEqual(["look-up b", "look-up c"]);
    next(missing("b"));
    next(missing("c"));
    // b was about to read a; c was too, a moment later.
    expect(next({ type: "damaged", id: "a", by: "b" })).toEqual(["look-up a"]);
    expect(next(missing("a"))).toEqual(["run a"]);
    expect(next({ type: "damaged", id: "a", by: "c" })).toEqual([]);
    expect(next(done("a"))).toEqual(["look-up b", "look-up c"]);
    next(done("b"));
    expect(next(done("c"))).toEqual(["finish"]);
  });

  test("does not start a task whose input turned out damaged while it was looked up", () => {
    const next = schedule(["a", "b: a", "c: a"]);
    next(start);
    next(done("a"));
    next(missing("b"));
    expect(next({ type: "damaged", id: "a", by: "b" })).toEqual(["look-up a"]);
    expect(next(missing("c"))).toEqual([]);
    next(missing("a"));
    expect(next(done("a"))).toEqual(["look-up b", "look-up c"]);
  });

  test("ends every pipeline, whatever fails: each task is done, failed or skipped exactly once", () => {
    // All 3^4 ways in which the four tasks of a diamond can end.
    const tasks = ["a", "b: a", "!c: a", "d: b c"];
    for (let way = 0; way < 81; way++) {
      for (const keepGoing of [false, true]) {
        const fate = new Map(["a", "b", "c", "d"].map((id, i) => [id, Math.floor(way / 3 ** i) % 3]));
        const next = schedule(tasks, { keepGoing });
        const queue: SchedulerEvent[] = [start];
        const ended: string[] = [];
        let finished = 0;
        for (let event = queue.shift(); event; event = queue.shift()) {
          if (event.type === "done" || event.type === "failed") ended.push(event.id);
          for (const action of next(event)) {
            const [what, id = ""] = action.split(" ");
            if (what === "look-up") queue.push(fate.get(id) === 0 ? done(id) : missing(id));
            else if (what === "run") queue.push(fate.get(id) === 1 ? done(id) : failed(id));
            else if (what === "skip") ended.push(id);
            else finished++;
          }
        }
        expect([...ended].sort()).toEqual(["a", "b", "c", "d"]);
        expect(finished).toBe(1);
      }
    }
  });
});
