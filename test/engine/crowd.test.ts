// Eight processes over one store at the same moment, with the locks of dead ones in their way: `ALIGN_TEST=full` tries a hundred times.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundle } from "../../engine/fixtures/bench.ts";
import { call, dataset, model, program, publish, stage } from "../../engine/fixtures/program.ts";
import { summary, trees } from "../../engine/fixtures/summary.ts";
import { type Event, openStore } from "../../engine/index.ts";

const PROCESSES = 8;
const TRIALS = process.env.ALIGN_TEST === "full" ? 100 : 4;

let built: string;
let member: string;
beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), "align-crowd-"));
  const entry = fileURLToPath(new URL("./crowd-member.ts", import.meta.url));
  member = await bundle(entry, join(built, "member.mjs"));
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

/** A chain and a fan, all of whose keys are different. */
function work(dir: string) {
  const fan = Array.from({ length: 4 }, (_, i) =>
    stage(`fan${i}`, call("train", { model: "writer" }, { beta: i })),
  );
  return program(
    join(dir, "test.align"),
    [
      dataset("prose", call("lines", {}, { paths: ["a.txt"] }), call("upper")),
      model("base", call("zeros", {}, { size: 64 })),
      stage("writer", call("train", { model: "base", data: "prose" }, { beta: 0.5 })),
      ...fan,
    ],
    { publications: [publish("writer", "out")] },
  );
}

function start(dir: string): { child: ChildProcess; ready: Promise<void>; ended: Promise<Event[]> } {
  const child = spawn(process.execPath, [member, dir], { stdio: ["pipe", "pipe", "inherit"] });
  let text = "";
  let tellReady = () => {};
  const ready = new Promise<void>((resolve) => {
    tellReady = resolve;
  });
  child.stdout.on("data", (data) => {
    text += data;
    if (text.includes("ready\n")) tellReady();
  });
  const ended = new Promise<Event[]>((resolve) => {
    child.on("close", () => {
      const lines = text.split("\n").slice(1, -1);
      resolve(lines.map((line) => JSON.parse(line) as Event));
    });
  });
  return { child, ready, ended };
}

/** What processes that were killed have left: a lease on every key, and an attempt. */
async function leaveLocks(dir: string, keys: readonly string[]): Promise<void> {
  const dead = { host: hostname(), boot: "before the last boot", pid: 4_000_000, start: "1" };
  mkdirSync(join(dir, "store", "leases"), { recursive: true });
  for (const key of keys) writeFileSync(join(dir, "store", "leases", key), JSON.stringify(dead));
  const name = ["x", dead.pid, dead.start, dead.boot, dead.host, 0]
    .map((part) => encodeURIComponent(part))
    .join("+");
  mkdirSync(join(dir, "store", "attempts", name, "out"), { recursive: true });
}

test(`${PROCESSES} processes, ${TRIALS} trials: all end well, with the same artifacts, each built once`, async () => {
  let expected: Record<string, string> | undefined;
  let keys: string[] = [];
  let builds = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const dir = mkdtempSync(join(tmpdir(), "align-crowd-"));
    writeFileSync(join(dir, "a.txt"), "one\ntwo\n");
    writeFileSync(join(dir, "program.json"), JSON.stringify(work(dir)));
    await leaveLocks(dir, keys);
    const members = Array.from({ length: PROCESSES }, () => start(dir));
    await Promise.all(members.map(({ ready }) => ready));
    for (const { child } of members) child.stdin!.end("go");
    const runs = await Promise.all(members.map(({ ended }) => ended));

    for (const events of runs) {
      expect(events.at(-1)).toMatchObject({ type: "run-finished", outcome: "done", failed: 0 });
      expected ??= trees(events);
      expect(trees(events)).toEqual(expected);
      builds += summary(events).ran.length;
    }
    const store = openStore(join(dir, "store"));
    expect(await store.verify()).toEqual([]);
    keys = await store.keys();
    expect(keys).toHaveLength(7);
    expect(readdirSync(join(dir, "store", "attempts"))).toEqual([]);
    expect(readdirSync(join(dir, "store", "leases"))).toEqual([]);
    expect(readdirSync(join(dir, "out")).sort()).toEqual(["metrics.json", "summary.txt", "weights.bin"]);
    rmSync(dir, { recursive: true, force: true });
  }
  console.log(`${TRIALS} trials of ${PROCESSES} processes: ${builds} builds for ${TRIALS * 7} keys`);
  expect(builds).toBe(TRIALS * 7);
}, 600_000);
