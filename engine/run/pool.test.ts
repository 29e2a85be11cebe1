import { expect, test } from "vitest";
import { type FakeWorker, fakeSpawn } from "../testing.ts";
import { Pool } from "./pool.ts";
import type { FromWorker, Task } from "./protocol.ts";

const task = (node: string) => ({ type: "task", task: { node } as Task }) as const;

/** A pool of workers that finish what they are told, unless it is called "crash". */
function hired() {
  let processes = 0;
  const pool = new Pool((worker) => {
    processes++;
    return fakeSpawn((told: FakeWorker) => {
      if (told.task.node === "crash") told.exit({ signal: "SIGSEGV" });
      else told.say({ type: "done", metrics: {} });
    })(worker);
  });
  const run = async (node: string) => {
    const said: FromWorker[] = [];
    const handle = pool.spawn({ log: "", onMessage: (message) => said.push(message) });
    handle.send(task(node));
    const exit = await handle.exited;
    return { said: said.map(({ type }) => type), exit, handle };
  };
  return { pool, run, processes: () => processes };
}

test("one process does one task after the other", async () => {
  const { run, processes } = hired();
  for (const node of ["a", "b", "c"])
    expect(await run(node)).toMatchObject({ said: ["done"], exit: { code: 0 } });
  expect(processes()).toBe(1);
});

test("tasks side by side have processes of their own", async () => {
  const { run, processes } = hired();
  await Promise.all([run("a"), run("b")]);
  expect(processes()).toBe(2);
  await Promise.all([run("c"), run("d")]);
  expect(processes()).toBe(2);
});

test("a crash is the crash of its task, and the next task has another process", async () => {
  const { run, processes } = hired();
  expect(await run("crash")).toMatchObject({ said: [], exit: { signal: "SIGSEGV" } });
  expect(await run("a")).toMatchObject({ said: ["done"] });
  expect(processes()).toBe(2);
});

test("whoever has done with a worker can no longer kill it", async () => {
  const { run, processes } = hired();
  (await run("a")).handle.kill();
  expect((await run("b")).said).toEqual(["done"]);
  expect(processes()).toBe(1);
});
