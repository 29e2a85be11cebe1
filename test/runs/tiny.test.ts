// The promises of the engine, kept on a pipeline that has every stage of the quickstart.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunEvent, ran, type Workspace, workspace } from "../align.ts";
import { corpus, words } from "./make-corpus.ts";

const stages = ["bpe", "base", "writer", "samples", "scored", "pairs", "aligned", "result"];
const file = "tiny.align";
const made: Workspace[] = [];

async function tiny(): Promise<Workspace> {
  const space = await workspace("test/runs");
  made.push(space);
  await space.write("corpus.txt", corpus(400, 3));
  await space.write("words.json", JSON.stringify(words));
  return space;
}

const digest = async (space: Workspace, path: string) =>
  createHash("sha256")
    .update(await readFile(join(space.dir, path)))
    .digest("hex");

let space: Workspace;
let model: string;

beforeAll(async () => {
  space = await tiny();
  const events = await space.events(file);
  expect(events.at(-1)).toMatchObject({ type: "run-finished", outcome: "done", failed: 0 });
  expect(ran(events)).toEqual(expect.arrayContaining(stages));
  // Before its first step the policy is the reference: -log σ(0) = ln 2.
  const aligned = events.find(({ type, node }) => type === "task-finished" && node === "aligned");
  expect((aligned!.metrics as Record<string, number>).first_loss).toBeCloseTo(Math.LN2, 6);
  model = await digest(space, "out/tiny/model.safetensors");
});
afterAll(() => Promise.all(made.map((space) => space.remove())));

test("the card of the published model says how it was made and what was measured", async () => {
  const card = await space.read("out/tiny/README.md");
  expect(card).toMatch(/\| aligned \| dpo \| beta: 0\.1, .*steps: 40/);
  expect(card).toContain("| base | pretrain |");
  expect(card).toMatch(/## Measured by result[\s\S]*\| kl \| /);
});

test("the same command again starts no process", async () => {
  const events = await space.events(file);
  expect(events.filter(({ type }) => type === "task-started")).toEqual([]);
  expect(events.at(-1)).toMatchObject({ outcome: "done", ran: 0 });
});

test("a comment, a reformat and a renamed declaration rerun nothing", async () => {
  await space.edit(
    file,
    (text) =>
      `// a remark\n${text.replaceAll("writer", "storyteller").replace("{ vocab_size: 320 }", "{\n  vocab_size: 320 // small\n}")}`,
  );
  expect(ran(await space.events(file))).toEqual([]);
  await space.edit(file, (text) => text.replace("// a remark\n", "").replaceAll("storyteller", "writer"));
});

test("--set beta reruns dpo and compare only, and explain names the change before and after", async () => {
  const set = ["--set", "beta=0.5"];
  const before = await space.align("explain", file, "aligned", ...set);
  expect(before.stdout).toContain("beta: 0.1 → 0.5");
  expect(ran(await space.events(file, ...set))).toEqual(["aligned", "result"]);
  const after = await space.align("explain", file, "aligned", ...set);
  expect(after.stdout).toContain("cached");
  expect(after.stdout).toContain("beta: 0.1 → 0.5");
});

test("one changed character in a data file reruns exactly its dependants", async () => {
  await space.edit("words.json", (text) => text.replace('"good":2', '"good":1'));
  expect(ran(await space.events(file))).toEqual(expect.arrayContaining(["cheer", "scored"]));
  const other = await space.events(file);
  expect(ran(other)).toEqual([]);
  await space.edit("words.json", (text) => text.replace('"good":1', '"good":2'));
  expect(ran(await space.events(file))).toEqual([]); // what was built before is still there
});

test("two runs from empty stores give byte-identical model files", async () => {
  const other = await tiny();
  await other.align("run", file);
  expect(await digest(other, "out/tiny/model.safetensors")).toBe(model);
});

test("kill -9 of everything in the middle of dpo loses no finished stage, goes on from a checkpoint and changes no byte", async () => {
  const other = await tiny();
  const process = other.start("run", file, "--json");
  // Both ends of the run die at once: the command and the worker that trains.
  let output = "";
  process.stdout!.on("data", (chunk) => {
    output += chunk;
  });
  const seen = () =>
    output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line));
  const steps = (event: RunEvent): number =>
    event.type === "task-progress" && event.node === "aligned" && event.unit === "steps"
      ? (event.done as number)
      : -1;
  for (;;) {
    if (seen().some((event) => steps(event) >= 3)) break;
    if (process.exitCode !== null && process.exitCode !== undefined)
      throw new Error("it ended before it could be killed");
    await sleep(10);
  }
  process.kill("SIGKILL");
  await process;
  const finished = ran(seen());
  expect(finished).toContain("pairs");
  expect(finished).not.toContain("aligned");

  const events = await other.events(file);
  expect(ran(events)).toEqual(["aligned", "result"]);
  // Step 3 was seen, so the checkpoint of step 2 at least was whole.
  const done = events.map(steps).filter((step) => step >= 0);
  expect(done[0]).toBeGreaterThanOrEqual(2);
  expect(await digest(other, "out/tiny/model.safetensors")).toBe(model);
});

test("Ctrl-C stops in good order with status 130, and the next run goes on", async () => {
  const other = await tiny();
  const process = other.start("run", file, "--json");
  let output = "";
  let sent = false;
  process.stdout!.on("data", (chunk) => {
    output += chunk;
    const seen = output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as RunEvent);
    // Once: a second Ctrl-C would stop it at once.
    if (!sent && seen.some(({ type, node }) => type === "task-started" && node === "base"))
      sent = process.kill("SIGINT");
  });
  expect((await process).exitCode).toBe(130);
  const kept = ran(
    output
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line)),
  );
  expect(kept).toContain("bpe");
  const events = await other.events(file);
  expect(ran(events).filter((node) => kept.includes(node))).toEqual([]);
  expect(events.at(-1)).toMatchObject({ outcome: "done" });
});
