// Runs without disk, processes or time: what `run` does with what the world tells it.
import { describe, expect, test } from "vitest";
import type { Program } from "../../grammar/index.ts";
import type { Event } from "../events.ts";
import { operations } from "../fixtures/operations.ts";
import { call, dataset, expectAbove, model, program, publish, stage } from "../fixtures/program.ts";
import { summary, trees } from "../fixtures/summary.ts";
import { loadHistory, readEvents } from "../journal.ts";
import { explain, lineOf } from "../plan/explain.ts";
import { createPlan } from "../plan/graph.ts";
import { MemoryStore } from "../store/memory.ts";
import { FakeClock, FakeProcesses, type FakeWorker, fakeSpawn, MemoryFiles } from "../testing.ts";
import { type RunOptions, run } from "./run.ts";

const FILE = "/project/test.align";

function pipeline({ beta = 0.1, size = 8, take = 2 } = {}, more: Partial<Program> = {}): Program {
  const nodes = [
    dataset("prose", call("lines", {}, { paths: ["a.txt"] })),
    dataset("few", "prose", call("take", {}, { count: take })),
    model("base", call("zeros", {}, { size })),
    stage("writer", call("train", { model: "base", data: "prose" }, { beta: 0.1 })),
    stage("aligned", call("train", { model: "writer", data: "few" }, { beta })),
    stage("fixed", call("constant", { data: "few" })),
    stage("after", call("train", { model: "fixed" }, { beta: 0.1 })),
  ];
  return program(FILE, nodes, more);
}
const ALL = ["after", "aligned", "base", "few", "fixed", "prose", "writer"];

/** Writes a file that tells what the task was made from, and a metric. */
function builds(world: World): (worker: FakeWorker) => void {
  return (worker) => {
    const { task } = worker;
    const inputs = task.calls.flatMap((c) =>
      Object.values(c.inputs)
        .flat()
        .map((artifact) => artifact.digest),
    );
    const from = [task.from?.digest, ...inputs];
    const params = task.calls.map((c) => c.params);
    const files = task.calls.flatMap((c) =>
      Object.values(c.files)
        .flat()
        .map((file) => world.text(file)),
    );
    const text = task.node === "fixed" ? "always the same" : JSON.stringify([from, params, files]);
    world.files.write(`${task.out}/made.txt`, text);
    worker.say({ type: "done", metrics: { loss: Number(task.calls[0]!.params.beta ?? 0) } });
    worker.exit();
  };
}

class World {
  readonly files = new MemoryFiles();
  readonly store = new MemoryStore(this.files);
  readonly clock = new FakeClock();
  work = builds(this);

  constructor() {
    this.files.write("/project/a.txt", "one\ntwo\n");
  }

  text(path: string): string {
    return new TextDecoder().decode(this.files.read(path));
  }

  async plan(of: Program) {
    const planned = await createPlan(of, {
      operations,
      store: this.store,
      files: this.files,
      numerics: "cpu",
    });
    if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
    return planned.plan;
  }

  async run(
    of: Program,
    options: Partial<RunOptions> = {},
    onEvent?: (event: Event) => void,
  ): Promise<Event[]> {
    const events: Event[] = [];
    const spawn = fakeSpawn((worker) => this.work(worker));
    const processes = new FakeProcesses();
    const all = { store: this.store, spawn, clock: this.clock, processes, jobs: 2, ...options };
    for await (const event of run(await this.plan(of), all)) {
      events.push(event);
      onEvent?.(event);
    }
    return events;
  }

  async why(of: Program, node: string): Promise<[string, string[]]> {
    const plan = await this.plan(of);
    const { headline, causes } = explain(plan, node, loadHistory(this.store, plan.pipeline))!;
    return [headline, causes.map(lineOf)];
  }
}

const last = (events: readonly Event[]) => events.at(-1) as Event & { type: "run-finished" };
const find = <T extends Event["type"]>(events: readonly Event[], type: T) =>
  events.filter((event) => event.type === type) as (Event & { type: T })[];

describe("a run", () => {
  test("builds everything once; the next one starts nothing", async () => {
    const world = new World();
    const first = await world.run(pipeline());
    expect(summary(first)).toEqual({ ran: ALL, cached: [], failed: [], skipped: [] });
    expect(last(first)).toMatchObject({ outcome: "done", ran: 7, cached: 0 });
    const second = await world.run(pipeline());
    expect(summary(second)).toEqual({ ran: [], cached: ALL, failed: [], skipped: [] });
    expect(find(second, "task-started")).toEqual([]);
    expect(trees(second)).toEqual(trees(first));
  });

  test("with a changed parameter builds that stage and what depends on it", async () => {
    const world = new World();
    await world.run(pipeline());
    expect(summary(await world.run(pipeline({ beta: 0.5 }))).ran).toEqual(["aligned"]);
    expect(summary(await world.run(pipeline({ size: 9 }))).ran).toEqual(["aligned", "base", "writer"]);
  });

  test("goes back to an earlier parameter without building anything", async () => {
    const world = new World();
    await world.run(pipeline());
    await world.run(pipeline({ beta: 0.5 }));
    expect(summary(await world.run(pipeline())).ran).toEqual([]);
  });

  test("stops where a stage gave the same bytes as before", async () => {
    const world = new World();
    await world.run(pipeline());
    // `few` changes, so `fixed` runs again; its bytes are the same, so `after` does not.
    const { ran, cached } = summary(await world.run(pipeline({ take: 1 })));
    expect(ran).toEqual(["aligned", "few", "fixed"]);
    expect(cached).toContain("after");
  });

  test("with a changed byte of a data file builds exactly what comes from it", async () => {
    const world = new World();
    await world.run(pipeline());
    world.files.write("/project/a.txt", "one\ntwO\n");
    expect(summary(await world.run(pipeline())).ran).toEqual(["aligned", "few", "fixed", "prose", "writer"]);
  });

  test("with a file that was only touched builds nothing", async () => {
    const world = new World();
    await world.run(pipeline());
    world.files.write("/project/a.txt", "one\ntwo\n");
    expect(summary(await world.run(pipeline())).ran).toEqual([]);
  });

  test("after a rename or a comment builds nothing", async () => {
    const world = new World();
    await world.run(pipeline());
    const { nodes } = pipeline();
    const renamed = JSON.parse(JSON.stringify(nodes).replaceAll('"writer"', '"author"')) as typeof nodes;
    const commented = renamed.map((node) => ({ ...node, doc: "hello" }));
    const events = await world.run(program(FILE, commented));
    expect(summary(events)).toMatchObject({ ran: [], cached: expect.arrayContaining(["author"]) });
  });

  test("builds two stages that are the same only once", async () => {
    const world = new World();
    const twins = [
      stage("a", call("constant", {}, { note: "x" })),
      stage("b", call("constant", {}, { note: "x" })),
    ];
    const { ran, cached } = summary(await world.run(program(FILE, twins), { jobs: 1 }));
    expect([ran, cached]).toEqual([["a"], ["b"]]);
  });

  test("lets stages that do not fit side by side into memory wait for one another", async () => {
    const most = async (budget: number): Promise<number> => {
      const world = new World();
      const working: FakeWorker[] = [];
      let together = 0;
      const build = world.work;
      world.work = (worker) => {
        together = Math.max(together, working.push(worker));
        // Whatever else may start has started by then.
        setImmediate(() => build(working.splice(working.indexOf(worker), 1)[0]!));
      };
      const stages = ["a", "b", "c"].map((id, i) => stage(id, call("constant", {}, { value: i })));
      const events = await world.run(program(FILE, stages), { jobs: 3, memory: { budget, of: () => 4 } });
      expect(summary(events).ran).toEqual(["a", "b", "c"]);
      return together;
    };
    // Each takes 4: of 7 one fits, of 8 two, of 12 all.
    expect([await most(7), await most(8), await most(12)]).toEqual([1, 2, 3]);
  });

  test("reports what a worker says of its progress", async () => {
    const world = new World();
    world.work = (worker) => {
      worker.say({ type: "progress", done: 1, total: 2, unit: "steps", metrics: { loss: 3 } });
      builds(world)(worker);
    };
    const events = await world.run(program(FILE, [model("base", call("zeros", {}, { size: 1 }))]));
    expect(find(events, "task-progress")).toMatchObject([
      { node: "base", done: 1, total: 2, metrics: { loss: 3 } },
    ]);
  });

  test("keeps its events in the journal of the store", async () => {
    const world = new World();
    const events = await world.run(pipeline());
    expect(readEvents(world.store, find(events, "run-started")[0]!.run)).toEqual(events);
  });
});

describe("a failing stage", () => {
  const error = { code: "bad-row", message: "row 17 has no text", where: "data.jsonl:17", help: "add one" };
  const failing = (world: World, node: string) => (worker: FakeWorker) => {
    if (worker.task.node !== node) return builds(world)(worker);
    worker.say({ type: "failed", error });
    worker.exit();
  };

  test("fails the run with its words, and keeps everything that was finished", async () => {
    const world = new World();
    world.work = failing(world, "writer");
    const events = await world.run(pipeline({}, { publications: [publish("base", "out")] }), {
      keepGoing: true,
    });
    expect(find(events, "task-failed")).toMatchObject([{ node: "writer", error }]);
    expect(find(events, "task-skipped")).toMatchObject([{ node: "aligned", because: "writer" }]);
    expect(last(events)).toMatchObject({ outcome: "failed", ran: 5, failed: 1, skipped: 1 });
    expect(find(events, "published")).toEqual([]);
    world.work = builds(world);
    expect(summary(await world.run(pipeline())).ran).toEqual(["aligned", "writer"]);
  });

  test.each([
    [{ signal: "SIGKILL" }, "killed", "memory ran out"],
    [{ signal: "SIGSEGV" }, "crashed", "SIGSEGV"],
    [{ code: 3 }, "crashed", "status 3"],
    [{ problem: "ENOENT" }, "not-started", "ENOENT"],
  ])("whose worker ends with %o is described in words", async (exit, code, words) => {
    const world = new World();
    world.work = (worker) => worker.exit(exit);
    const events = await world.run(program(FILE, [model("base", call("zeros"))]), { retries: 0 });
    expect(find(events, "task-failed")[0]!.error).toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
  });

  test("leaves no attempt behind", async () => {
    const world = new World();
    world.work = failing(world, "writer");
    await world.run(pipeline(), { keepGoing: true });
    expect(world.files.list("/store/attempts")).toBeUndefined();
  });

  test("is not cached when a data file changed while it was read", async () => {
    const world = new World();
    world.work = (worker) => {
      world.files.write("/project/a.txt", "changed");
      builds(world)(worker);
    };
    const events = await world.run(pipeline(), { jobs: 1 });
    expect(find(events, "task-failed")).toMatchObject([
      { node: "prose", error: { code: "file-changed", message: "a.txt changed while it was read" } },
    ]);
    world.work = builds(world);
    expect(summary(await world.run(pipeline())).failed).toEqual([]);
  });

  test("is not started when a data file changed since the plan was made", async () => {
    const world = new World();
    const plan = await world.plan(pipeline());
    world.files.write("/project/a.txt", "changed");
    const events: Event[] = [];
    for await (const e of run(plan, {
      store: world.store,
      spawn: fakeSpawn(builds(world)),
      clock: world.clock,
    })) {
      events.push(e);
    }
    expect(find(events, "task-failed")[0]!.error.message).toBe("a.txt changed since the plan was made");
  });
});

describe("an interrupted run", () => {
  test("tells its workers, keeps what ends in time, and skips the rest", async () => {
    const world = new World();
    const stop = new AbortController();
    world.work = (worker) => {
      if (worker.task.node !== "writer") return builds(world)(worker);
      stop.abort();
      expect(worker.aborted).toBe(true);
      worker.say({ type: "failed", error: { code: "interrupted", message: "interrupted" } });
      worker.exit();
    };
    const events = await world.run(pipeline(), { signal: stop.signal, jobs: 1 });
    expect(last(events)).toMatchObject({ outcome: "interrupted", failed: 0 });
    expect(summary(events).skipped).toContain("writer");
    world.work = builds(world);
    const { ran } = summary(await world.run(pipeline()));
    expect(ran).toEqual(summary(events).skipped);
  });

  test("kills a worker that does not end within the grace", async () => {
    const world = new World();
    const stop = new AbortController();
    let deaf: FakeWorker | undefined;
    world.work = (worker) => {
      deaf = worker;
      stop.abort();
      world.clock.tick(4_999);
      expect(worker.killed).toBe(false);
      world.clock.tick(1);
    };
    const events = await world.run(program(FILE, [model("base", call("zeros"))]), {
      signal: stop.signal,
      graceMs: 5_000,
    });
    expect(deaf!.killed).toBe(true);
    expect(last(events).outcome).toBe("interrupted");
  });

  test("that nobody reads to the end stops as well", async () => {
    const world = new World();
    let worker: FakeWorker | undefined;
    world.work = (w) => {
      worker = w;
    };
    const plan = await world.plan(program(FILE, [model("base", call("zeros"))]));
    const spawn = fakeSpawn((w) => world.work(w));
    for await (const event of run(plan, { store: world.store, spawn, clock: world.clock, graceMs: 0 })) {
      if (event.type !== "task-started") continue;
      queueMicrotask(() => setImmediate(() => world.clock.tick(1)));
      break;
    }
    expect(worker).toMatchObject({ aborted: true, killed: true });
  });

  test("before it began does nothing", async () => {
    const world = new World();
    const events = await world.run(pipeline(), { signal: AbortSignal.abort() });
    expect(last(events)).toMatchObject({ outcome: "interrupted", ran: 0, skipped: 7 });
  });
});

describe("a failure that may pass", () => {
  const only = program(FILE, [model("base", call("zeros"))]);
  /** Lets the pauses between two tries go by. */
  const hurry = (world: World) => (event: Event) => {
    if (event.type === "task-retried") setImmediate(() => world.clock.tick(event.seconds * 1000));
  };

  test("is tried again, each time after a longer pause", async () => {
    const world = new World();
    let tries = 0;
    world.work = (worker) => (++tries < 3 ? worker.exit({ signal: "SIGSEGV" }) : builds(world)(worker));
    const events = await world.run(only, {}, hurry(world));
    expect(last(events)).toMatchObject({ outcome: "done", ran: 1, failed: 0 });
    const retried = find(events, "task-retried");
    expect(retried.map(({ attempt, seconds }) => [attempt, seconds])).toEqual([
      [2, 1],
      [3, 4],
    ]);
    expect(retried[0]!.error.message).toBe("its worker crashed (SIGSEGV)");
  });

  test("that does not pass is told in the end", async () => {
    const world = new World();
    let tries = 0;
    world.work = (worker) => {
      tries++;
      worker.say({
        type: "failed",
        error: { code: "busy", message: "the service is busy", transient: true },
      });
      worker.exit();
    };
    const events = await world.run(only, { retries: 1 }, hurry(world));
    expect(tries).toBe(2);
    expect(find(events, "task-failed")[0]!.error.message).toBe("the service is busy");
  });

  test("is not tried again when the run is interrupted meanwhile", async () => {
    const world = new World();
    const stop = new AbortController();
    world.work = (worker) => worker.exit({ signal: "SIGSEGV" });
    const events = await world.run(only, { signal: stop.signal }, (event) => {
      if (event.type === "task-retried") stop.abort();
    });
    expect(last(events)).toMatchObject({ outcome: "interrupted", failed: 0 });
  });

  test("unlike any other failure", async () => {
    const world = new World();
    let tries = 0;
    world.work = (worker) => {
      tries++;
      worker.say({ type: "failed", error: { code: "bad-row", message: "row 17 has no text" } });
      worker.exit();
    };
    await world.run(only);
    expect(tries).toBe(1);
  });
});

describe("a task that hangs", () => {
  test("is told to stop when its time is over, and killed when it does not listen", async () => {
    const world = new World();
    let deaf: FakeWorker | undefined;
    world.work = (worker) => {
      deaf = worker;
      world.clock.tick(119_999);
      expect(worker.aborted).toBe(false);
      world.clock.tick(1);
      expect([worker.aborted, worker.killed]).toEqual([true, false]);
      world.clock.tick(5_000);
    };
    const events = await world.run(program(FILE, [model("base", call("zeros"))]), {
      timeoutMs: 120_000,
      graceMs: 5_000,
    });
    expect(deaf!.killed).toBe(true);
    expect(find(events, "task-failed")[0]!.error).toMatchObject({
      code: "timeout",
      message: "it was not done after 120 s",
    });
    expect(last(events).outcome).toBe("failed");
  });
});

describe("a silent worker", () => {
  test("is mentioned every minute until it speaks again", async () => {
    const world = new World();
    world.work = (worker) => {
      world.clock.tick(50_000);
      worker.say({ type: "alive" });
      // Looked at after 60, 120 and 180 s; last heard of after 50 s.
      world.clock.tick(130_000);
      builds(world)(worker);
    };
    const events = await world.run(program(FILE, [model("base", call("zeros"))]));
    expect(find(events, "task-silent").map((event) => event.seconds)).toEqual([70, 130]);
  });
});

describe("a damaged artifact", () => {
  const damage = (world: World, events: readonly Event[], node: string) => async () => {
    const [entry] = (await world.store.manifest(trees(events)[node]!))!;
    world.files.write(world.store.blob(entry!.sha256), "x");
  };

  test("is built again, with a message, and what depends on it is not", async () => {
    const world = new World();
    const first = await world.run(pipeline());
    await damage(world, first, "writer")();
    const events = await world.run(pipeline());
    expect(find(events, "artifact-damaged")).toMatchObject([
      { node: "writer", damage: expect.stringContaining("made.txt has 1 bytes") },
    ]);
    expect(summary(events).ran).toEqual(["writer"]);
    expect(trees(events)).toEqual(trees(first));
  });

  test("that shows only when it is read is built again before its reader goes on", async () => {
    const world = new World();
    const first = await world.run(pipeline());
    const plan = await world.plan(pipeline({ beta: 0.5 }));
    await damage(world, first, "writer")();
    const events: Event[] = [];
    for await (const e of run(plan, {
      store: world.store,
      spawn: fakeSpawn(builds(world)),
      clock: world.clock,
    })) {
      events.push(e);
    }
    expect(find(events, "artifact-damaged")).toMatchObject([{ node: "writer" }]);
    expect(find(events, "task-finished").map((event) => event.node)).toEqual(["writer", "aligned"]);
    expect(last(events).outcome).toBe("done");
  });
});

describe("the end of a run", () => {
  const more = {
    publications: [publish("aligned", "out")],
    expectations: [expectAbove("aligned", "loss", 0.3, "must rise")],
  };

  test("publishes what the file says, beside the file", async () => {
    const world = new World();
    const events = await world.run(pipeline({ beta: 0.5 }, more));
    expect(find(events, "expectation")).toMatchObject([
      {
        text: "aligned.loss > 0.3",
        holds: true,
        message: "must rise",
        values: [{ text: "aligned.loss", value: 0.5 }],
      },
    ]);
    expect(find(events, "published")).toMatchObject([{ node: "aligned", to: "/project/out", wrote: true }]);
    expect(world.files.stat("/project/out/made.txt")?.kind).toBe("file");
    expect(find(await world.run(pipeline({ beta: 0.5 }, more)), "published")).toMatchObject([
      { wrote: false },
    ]);
  });

  test("publishes nothing when an expectation does not hold", async () => {
    const world = new World();
    const events = await world.run(pipeline({ beta: 0.1 }, more));
    expect(find(events, "expectation")).toMatchObject([{ holds: false, values: [{ value: 0.1 }] }]);
    expect(find(events, "publish-withheld")).toMatchObject([{ node: "aligned" }]);
    expect(last(events).outcome).toBe("expectation-failed");
    expect(world.files.stat("/project/out")).toBeUndefined();
  });
});

describe("why a stage runs", () => {
  test("is told before the run and after it", async () => {
    const world = new World();
    expect(await world.why(pipeline(), "aligned")).toEqual(["waits for what it needs", ["never built"]]);
    await world.run(pipeline());
    expect(await world.why(pipeline(), "aligned")).toEqual([
      "cached; was built because",
      ["never built before"],
    ]);
    expect(await world.why(pipeline({ beta: 0.5 }), "aligned")).toEqual(["will run", ["beta: 0.1 → 0.5"]]);
    await world.run(pipeline({ beta: 0.5 }));
    expect(await world.why(pipeline({ beta: 0.5 }), "aligned")).toEqual([
      "cached; was built because",
      ["beta: 0.1 → 0.5"],
    ]);
    // Not the state of the last run, but still in the store.
    expect(await world.why(pipeline(), "aligned")).toEqual([
      "cached; was built because",
      ["never built before"],
    ]);
  });

  test("is told of what lies above it, down to the root", async () => {
    const world = new World();
    await world.run(pipeline());
    expect(await world.why(pipeline({ size: 9 }), "writer")).toEqual([
      "waits for what it needs",
      ["input base is built anew (because size: 8 → 9)"],
    ]);
    expect(await world.why(pipeline({ size: 9 }), "aligned")).toEqual([
      "waits for what it needs",
      ["input writer is built anew (because base: size: 8 → 9)"],
    ]);
    await world.run(pipeline({ size: 9 }));
    expect(await world.why(pipeline({ size: 9 }), "aligned")).toEqual([
      "cached; was built because",
      ["input writer changed (because base: size: 8 → 9)"],
    ]);
  });

  test("is the difference from the build that has most in common, not from the last", async () => {
    const world = new World();
    await world.run(pipeline());
    await world.run(pipeline({ size: 9, beta: 0.5 }));
    expect((await world.why(pipeline({ beta: 0.2 }), "aligned"))[1]).toEqual(["beta: 0.1 → 0.2"]);
    expect((await world.why(pipeline({ size: 9, beta: 0.2 }), "aligned"))[1]).toEqual(["beta: 0.5 → 0.2"]);
  });

  test("is told of data files", async () => {
    const world = new World();
    await world.run(pipeline());
    world.files.write("/project/a.txt", "new");
    expect(await world.why(pipeline(), "prose")).toEqual(["will run", ["file a.txt changed"]]);
    expect((await world.why(pipeline(), "few"))[1]).toEqual([
      "input prose is built anew (because file a.txt changed)",
    ]);
  });

  test("is the reason that the plan and the start of a task give", async () => {
    const world = new World();
    await world.run(pipeline());
    const events = await world.run(pipeline({ beta: 0.5 }));
    expect(find(events, "task-started").map(({ node, reason }) => [node, reason])).toEqual([
      ["aligned", "beta: 0.1 → 0.5"],
    ]);
  });
});
