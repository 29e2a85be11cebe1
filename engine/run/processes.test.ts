// Runs with real processes on a real disk: what survives crashes, kills and damage.
import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Program } from "../../grammar/index.ts";
import type { Event } from "../events.ts";
import { type Bench, bundle, createBench, removeBench } from "../fixtures/bench.ts";
import { call, dataset, model, program, publish, stage } from "../fixtures/program.ts";
import { summary, trees } from "../fixtures/summary.ts";
import { openStore } from "../store/disk.ts";
import { processSpawn } from "./spawn.ts";

let built: string;
let worker: string;
let orchestrator: string;
let bench: Bench;
const children: ChildProcess[] = [];

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "align-bundles-"));
  worker = await bundle("./worker.ts", join(built, "worker.mjs"));
  orchestrator = await bundle("./orchestrator.ts", join(built, "orchestrator.mjs"));
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  bench = createBench(worker);
  bench.write("a.txt", "one\ntwo\nthree\n");
});
afterEach(() => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  removeBench(bench);
});

const gate = () => join(bench.dir, "gate");
const store = () => openStore(join(bench.dir, "store"));
const attempts = () => readdirSync(join(bench.dir, "store", "attempts"));

function pipeline({ beta = 0.1, gated = false, file = bench.file } = {}): Program {
  return program(
    file,
    [
      dataset("prose", call("lines", {}, { paths: ["*.txt"] }), call("upper")),
      model("base", call("zeros", {}, { size: 8 })),
      stage(
        "writer",
        call("train", { model: "base", data: "prose" }, gated ? { beta, gate: gate() } : { beta }),
      ),
      stage("aligned", call("train", { model: "writer" }, { beta: 0.1 })),
    ],
    { publications: [publish("aligned", "out")] },
  );
}
const ALL = ["aligned", "base", "prose", "writer"];

/** The program in a process group of its own; resolves to its events when it ends. */
function start(of: Program): { child: ChildProcess; events: Promise<Event[]> } {
  bench.write("program.json", JSON.stringify(of));
  const child = spawn(process.execPath, [orchestrator, bench.dir, worker], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  children.push(child);
  let text = "";
  child.stdout!.on("data", (data) => {
    text += data;
  });
  const events = new Promise<Event[]>((resolve) => {
    child.on("close", () =>
      resolve(
        text
          .trim()
          .split("\n")
          .filter(Boolean)
          .map((line) => JSON.parse(line) as Event),
      ),
    );
  });
  return { child, events };
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; !holds(); i++) {
    if (i > 1000) throw new Error(`never: ${holds}`);
    await sleep(10);
  }
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]![0] !== "Z";
  } catch {
    return false;
  }
}

describe("a run with processes", () => {
  test("makes and publishes an artifact; the next run starts no process", async () => {
    const first = await bench.run(pipeline());
    expect(summary(first)).toEqual({ ran: ALL, cached: [], failed: [], skipped: [] });
    expect(readFileSync(join(bench.dir, "out", "metrics.json"), "utf8")).toBe('{"loss":0.1}\n');
    expect(readFileSync(join(bench.dir, "out", "summary.txt"), "utf8")).toBe("beta 0.1");
    const prose = await store().materialise(trees(first).prose!);
    expect(readFileSync(join((prose as { dir: string }).dir, "rows.jsonl"), "utf8")).toBe(
      '{"text":"ONE"}\n{"text":"TWO"}\n{"text":"THREE"}\n',
    );
    const second = await bench.run(pipeline());
    expect(summary(second)).toEqual({ ran: [], cached: ALL, failed: [], skipped: [] });
    expect(second.some((event) => event.type === "task-started")).toBe(false);
    expect(attempts()).toEqual([]);
  });

  test("reruns exactly what a changed byte reaches", async () => {
    await bench.run(pipeline());
    const { size, mtime, atime } = statSync(join(bench.dir, "a.txt"));
    bench.write("a.txt", "one\ntwo\nthrEe\n");
    (await import("node:fs")).utimesSync(join(bench.dir, "a.txt"), atime, mtime);
    expect(statSync(join(bench.dir, "a.txt")).size).toBe(size);
    // The rows are made capitals, so that the bytes of `prose` stay the same: nothing after it runs.
    expect(summary(await bench.run(pipeline())).ran).toEqual(["prose"]);
    bench.write("a.txt", "one\ntwo\nfour!\n");
    expect(summary(await bench.run(pipeline())).ran).toEqual(["aligned", "prose", "writer"]);
  });

  test("makes the same bytes in another folder and another store", async () => {
    const first = trees(await bench.run(pipeline()));
    const other = createBench(worker);
    other.write("a.txt", "one\ntwo\nthree\n");
    try {
      expect(trees(await other.run(pipeline({ file: other.file })))).toEqual(first);
    } finally {
      removeBench(other);
    }
  });

  test("builds a truncated artifact again and sets the damage aside", async () => {
    const first = trees(await bench.run(pipeline()));
    const [blob] = (await store().manifest(first.writer!))!.filter((entry) => entry.path === "weights.bin");
    const path = join(bench.dir, "store", "objects", blob!.sha256.slice(0, 2), blob!.sha256);
    chmodSync(path, 0o644);
    writeFileSync(path, readFileSync(path).subarray(0, 10));
    const events = await bench.run(pipeline());
    expect(events.find((event) => event.type === "artifact-damaged")).toMatchObject({
      node: "writer",
      damage: "weights.bin has 10 bytes instead of 40",
    });
    expect(summary(events).ran).toEqual(["writer"]);
    expect(trees(events)).toEqual(first);
    expect(existsSync(join(bench.dir, "store", "quarantine", blob!.sha256))).toBe(true);
    expect(await store().verify()).toEqual([]);
  });

  test("can have its worker in TypeScript", async () => {
    const source = fileURLToPath(new URL("../fixtures/worker.ts", import.meta.url));
    const tsx = import.meta.resolve("tsx");
    const only = program(bench.file, [model("base", call("zeros", {}, { size: 8 }))]);
    const events = await bench.run(only, { spawn: await processSpawn(source, ["--import", tsx]) });
    expect(summary(events).ran).toEqual(["base"]);
  });

  test("says so when there is no worker", async () => {
    const events = await bench.run(pipeline(), { spawn: await processSpawn(join(bench.dir, "none.mjs")) });
    expect(events.find((event) => event.type === "task-failed")).toMatchObject({
      error: { code: "crashed" },
      tail: expect.arrayContaining([expect.stringContaining("Cannot find module")]),
    });
  });
});

describe("a task in trouble", () => {
  const trouble = (how: string) =>
    program(bench.file, [
      dataset("prose", call("lines", {}, { paths: ["a.txt"] })),
      stage("bad", call("trouble", { data: "prose" }, { how })),
      stage("after", call("constant", { data: "bad" })),
    ]);

  test("is reported in words, and everything else goes on", async () => {
    const errors = {
      error: { code: "bad-row", message: "row 17 has no text", where: "data.jsonl:17", help: "add one" },
      bug: { code: "bug", message: "trouble failed unexpectedly: index 9 out of range" },
      foreign: { code: "diverged", message: "the loss is NaN", help: "lower the rate" },
      kill: { code: "killed", message: expect.stringContaining("memory ran out") },
      exit: { code: "crashed", message: "its worker exited with status 3 and without a result" },
      nan: { code: "metric-not-finite", message: "loss is NaN" },
      link: { code: "artifact-link", message: expect.stringContaining("weights.bin is a link") },
    };
    const kinds = Object.keys(errors) as (keyof typeof errors)[];
    const all = program(bench.file, [
      dataset("prose", call("lines", {}, { paths: ["a.txt"] })),
      ...kinds.map((how) => stage(how, call("trouble", { data: "prose" }, { how }))),
      ...kinds.map((how) => stage(`after_${how}`, call("constant", { data: how }))),
      stage("fine", call("constant", { data: "prose" })),
    ]);
    const events = await bench.run(all, { keepGoing: true });
    expect(summary(events)).toMatchObject({ ran: ["fine", "prose"], failed: [...kinds].sort() });
    expect(summary(events).skipped).toHaveLength(kinds.length);
    const failures = events.filter((event) => event.type === "task-failed");
    expect(Object.fromEntries(failures.map(({ node, error }) => [node, error]))).toMatchObject(errors);
    expect(attempts()).toEqual([]);
    const of = (node: string) => failures.find((event) => event.node === node)!;
    expect(readFileSync(of("bug").log!, "utf8")).toContain("RangeError: index 9 out of range\n    at ");
    expect(of("exit").tail).toEqual(["about to leave"]);
    const again = await bench.run(trouble("fine"));
    expect(summary(again)).toMatchObject({ cached: ["prose"], failed: [] });
  });

  test("that writes into its input damages nothing but that artifact, which is built again", async () => {
    const first = trees(await bench.run(trouble("append")));
    const events = await bench.run(trouble("fine"));
    expect(events.find((event) => event.type === "artifact-damaged")).toMatchObject({ node: "prose" });
    expect(trees(events).prose).toBe(first.prose);
    expect(summary(events).failed).toEqual([]);
  });

  test("that is killed for memory is tried in half the pieces, under the same key", async () => {
    const hungry = (params: Record<string, number>) =>
      program(bench.file, [stage("hungry", call("hungry", {}, params))]);
    const events = await bench.run(hungry({ pieces: 8, least: 1 }));
    expect(events.flatMap((event) => (event.type === "task-retried" ? [event.attempt] : []))).toEqual([2, 3]);
    expect(events.find((event) => event.type === "task-finished")).toMatchObject({ metrics: { pieces: 2 } });
    expect(summary(await bench.run(hungry({ pieces: 2, least: 1 }))).cached).toEqual(["hungry"]);
  });

  test("that is killed for memory however little it takes says so", async () => {
    const params = { pieces: 8, least: 4 };
    const events = await bench.run(program(bench.file, [stage("hungry", call("hungry", {}, params))]));
    expect(events.find((event) => event.type === "task-failed")).toMatchObject({
      error: { code: "out-of-memory", message: "memory ran out, also with the smallest micro-batch" },
    });
  });

  test("that changes its own data file is not cached", async () => {
    const restless = program(bench.file, [dataset("rows", call("restless", {}, { path: "a.txt" }))]);
    const events = await bench.run(restless);
    expect(events.find((event) => event.type === "task-failed")).toMatchObject({
      error: { code: "file-changed", message: "a.txt changed while it was read" },
    });
    expect(await store().keys()).toEqual([]);
  });
});

describe("a run that is stopped", () => {
  test("by the user ends its worker and keeps what is finished", async () => {
    const stop = new AbortController();
    const running = bench.run(pipeline({ gated: true }), { signal: stop.signal });
    await until(() => existsSync(`${gate()}.waiting`));
    const pid = Number(readFileSync(`${gate()}.waiting`, "utf8"));
    stop.abort();
    const events = await running;
    expect(events.at(-1)).toMatchObject({ type: "run-finished", outcome: "interrupted", ran: 2, skipped: 2 });
    expect(isAlive(pid)).toBe(false);
    expect(attempts()).toEqual([]);
    expect(summary(await bench.run(pipeline())).ran).toEqual(["aligned", "writer"]);
  });

  test("by SIGKILL mid-task goes on where it was, with the same bytes in the end", async () => {
    const { child, events } = start(pipeline({ gated: true }));
    await until(() => existsSync(`${gate()}.waiting`));
    const pid = Number(readFileSync(`${gate()}.waiting`, "utf8"));
    process.kill(-child.pid!, "SIGKILL");
    await events;
    await until(() => !isAlive(pid));
    expect(attempts()).toHaveLength(1);
    expect(await store().keys()).toHaveLength(2);

    const again = await bench.run(pipeline());
    expect(again[0]).toMatchObject({ type: "run-started", swept: 1 });
    expect(summary(again)).toMatchObject({ ran: ["aligned", "writer"], cached: ["base", "prose"] });
    expect(attempts()).toEqual([]);
    expect(readdirSync(join(bench.dir, "store", "leases"))).toEqual([]);
    expect(await store().verify()).toEqual([]);

    const undisturbed = createBench(worker);
    undisturbed.write("a.txt", "one\ntwo\nthree\n");
    expect(trees(again)).toEqual(trees(await undisturbed.run(pipeline({ file: undisturbed.file }))));
    removeBench(undisturbed);
  });

  test("by SIGKILL leaves the checkpoint of a task to the next attempt", async () => {
    const { child, events } = start(pipeline({ gated: true }));
    await until(() => existsSync(`${gate()}.waiting`));
    child.kill("SIGKILL");
    await events;
    writeFileSync(gate(), "");
    expect(summary(await bench.run(pipeline({ gated: true }))).ran).toEqual(["aligned", "writer"]);
    expect(readFileSync(`${gate()}.scratch`, "utf8")).toBe("II");
    expect(readdirSync(join(bench.dir, "store", "scratch"))).toEqual([]);
  });

  test("by SIGKILL takes along a worker that computes without a pause", async () => {
    const pidFile = join(bench.dir, "spin.pid");
    process.env.SPIN_PID_FILE = pidFile;
    const { child, events } = start(
      program(bench.file, [stage("bad", call("trouble", {}, { how: "spin" }))]),
    );
    await until(() => existsSync(pidFile) && readFileSync(pidFile, "utf8") !== "");
    const pid = Number(readFileSync(pidFile, "utf8"));
    expect(isAlive(pid)).toBe(true);
    child.kill("SIGKILL");
    await events;
    await until(() => !isAlive(pid));
  });
});

describe("two runs over one store", () => {
  test("build everything once, and both end well", async () => {
    const one = start(pipeline({ gated: true }));
    await until(() => existsSync(`${gate()}.waiting`));
    const two = start(pipeline({ gated: true }));
    const journals = () =>
      readdirSync(join(bench.dir, "store", "runs")).map((run) =>
        join(bench.dir, "store", "runs", run, "events.jsonl"),
      );
    await until(() =>
      journals().some((path) => existsSync(path) && readFileSync(path, "utf8").includes('"task-waiting"')),
    );
    writeFileSync(gate(), "");
    const [a, b] = [await one.events, await two.events];
    expect([a.at(-1), b.at(-1)]).toMatchObject([{ outcome: "done" }, { outcome: "done" }]);
    expect([...summary(a).ran, ...summary(b).ran].sort()).toEqual(ALL);
    expect(trees(a)).toEqual(trees(b));
    expect(attempts()).toEqual([]);
  });

  test("started at the same moment build everything once as well", async () => {
    const [a, b] = await Promise.all([start(pipeline()).events, start(pipeline()).events]);
    expect([a.at(-1), b.at(-1)]).toMatchObject([{ outcome: "done" }, { outcome: "done" }]);
    expect([...summary(a).ran, ...summary(b).ran].sort()).toEqual(ALL);
    expect(await store().verify()).toEqual([]);
  });
});
