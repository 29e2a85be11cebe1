// A judge behind an endpoint that misbehaves in every way, killed in the middle: every row once, nothing asked twice, nothing told.
// Some hundreds of requests; ten thousand with ALIGN_TEST=full.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Asked,
  type FakeEndpoint,
  type Fault,
  fakeEndpoint,
  faults,
} from "../../stdlib/assistant/testing.ts";
import type { Random } from "../../tensor/index.ts";
import { type Workspace, workspace } from "../align.ts";

const rows = process.env.ALIGN_TEST === "full" ? 10_000 : 240;
const key = "sk-planted-0c4d2f";
/**
 * Of a hundred requests this many meet a fault, a ninth of them an empty answer; the first answer to one row in ten is no verdict. That
 * seven in a row are none, and the row is recorded as malformed, is less likely than one in a thousand million.
 */
const badLuck = 25;

let space: Workspace;
let endpoint: FakeEndpoint;
let fault: (random: Random) => Fault | undefined;
let before: (count: number) => Promise<void> | void;

beforeAll(async () => {
  space = await workspace();
  endpoint = await fakeEndpoint({
    fault: (random) => fault(random),
    before: (count) => before(count),
    // It says the key in what it answers, as it does in its errors.
    answer: (text, body) => {
      const row = numberIn((body.messages as { content: string }[])[0]!.content);
      return text.includes("not what was asked") || row % 10 !== 3
        ? JSON.stringify({ rationale: `${key} ${row}`, rating: 1 + (row % 10) })
        : "I would say 8/10";
    },
  });
  process.env.ROBUST_URL = endpoint.url;
  process.env.ROBUST_KEY = key;
});
afterAll(async () => {
  delete process.env.ROBUST_URL;
  delete process.env.ROBUST_KEY;
  await endpoint.close();
  await space.remove();
});

const numberIn = (text: string) => Number(/row (\d+)/.exec(text)?.[1] ?? 0);
const pipeline = (settings: string) => `pipeline robust
model gpt = api("gpt", base_url: env("ROBUST_URL"), api_key: env("ROBUST_KEY")) {
  max_concurrent: 32, timeout: 3s, retries: 30, backoff: 5ms${settings}
}
dataset rows = jsonl("rows.jsonl") as Response
stage scored = judge(rows, by: gpt) { repairs: 6 }
`;
const data = (count: number) =>
  Array.from(
    { length: count },
    (_, i) => `${JSON.stringify({ prompt: `row ${i}`, responses: [`answer ${i}`] })}\n`,
  );

/** Requests that came to an answer: none may be asked again. */
const finished = (log: readonly Asked[]) =>
  log.filter(({ fate }) => fate === "answered" || fate === "empty").map(({ body }) => JSON.stringify(body));

async function result(): Promise<{ prompt: string; scores: number[]; rationales: string[] }[]> {
  const { status, stderr } = await space.align("export", "robust.align", "scored", "out.jsonl");
  expect(status, stderr).toBe(0);
  return (await space.read("out.jsonl"))
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("every row exactly once, whatever the endpoint does, and through SIGKILL", async () => {
  await space.write("robust.align", pipeline(""));
  await space.write("rows.jsonl", data(rows).join(""));
  fault = (random) => (random.int(100) < badLuck ? faults[random.int(faults.length)] : undefined);
  // A third of the way the endpoint falls silent: what it has answered has been read when the kill comes.
  const run = space.start("run", "robust.align");
  const forever = new Promise<void>(() => {});
  let killed = false;
  before = (count) => {
    if (count < rows / 3) return;
    if (!killed) {
      killed = true;
      void sleep(500).then(() => run.kill("SIGKILL"));
    }
    return forever;
  };
  expect((await run).signal).toBe("SIGKILL");
  const untilKill = endpoint.log.length;
  expect(finished(endpoint.log).length).toBeGreaterThan(rows / 8);

  before = () => {};
  const { status, stderr } = await space.align("run", "robust.align");
  expect(status, stderr).toBe(0);
  expect(endpoint.log.length).toBeGreaterThan(untilKill);
  const told = await result();
  expect(told.map(({ prompt }) => prompt)).toEqual(Array.from({ length: rows }, (_, i) => `row ${i}`));
  told.forEach(({ scores, rationales }, i) => {
    expect(scores).toEqual([1 + (i % 10)]);
    expect(rationales).toEqual([`••• ${i}`]);
  });
  // Every fault has been met, and the endpoint's own log has no request twice that it had answered.
  expect(new Set(endpoint.log.map(({ fate }) => fate))).toEqual(new Set([...faults, "answered", undefined]));
  const asked = finished(endpoint.log);
  expect(asked.length - new Set(asked).size).toBe(0);
  console.log(
    `${rows} rows: ${endpoint.log.length} requests, ${asked.length} of them answered, 0 asked again after SIGKILL at request ${untilKill}`,
  );
}, 1_200_000);

test("a hundred rows more cost a hundred requests", async () => {
  fault = () => undefined;
  const already = endpoint.log.length;
  // Those whose number ends in 3 would be asked for twice, because the first answer is no verdict.
  const more = data(2 * rows + 400).filter((_, i) => i >= rows && i % 10 !== 3);
  await space.write("rows.jsonl", [...data(rows), ...more.slice(0, 100)].join(""));
  expect((await space.align("run", "robust.align")).status).toBe(0);
  expect(endpoint.log.length - already).toBe(100);
  expect(await result()).toHaveLength(rows + 100);
}, 600_000);

test("at the token limit it stops, says so, and goes on from there when the limit is raised", async () => {
  const already = endpoint.log.length;
  const spent = () => 15 * (endpoint.log.length - already);
  const few = Array.from(
    { length: 60 },
    (_, i) => `${JSON.stringify({ prompt: `row ${i * 10}`, responses: ["new"] })}\n`,
  );
  await space.write("rows.jsonl", few.join(""));
  // A request sets aside its question and 1024 tokens for the verdict, and costs 15.
  await space.write("robust.align", pipeline(", token_budget: 2_000"));
  const stopped = await space.align("run", "robust.align");
  expect(stopped.status).toBe(1);
  expect(stopped.stderr).toContain("scored: the token_budget of gpt is spent");
  expect(spent()).toBeGreaterThan(0);
  expect(spent()).toBeLessThanOrEqual(2_000);
  await space.write("robust.align", pipeline(", token_budget: 50_000"));
  expect((await space.align("run", "robust.align")).status).toBe(0);
  // Sixty rows, sixty requests, in both runs together.
  expect(endpoint.log.length - already).toBe(60);
}, 120_000);

test("the key is nowhere: not in the store, its journals and logs, the report, or what was printed", async () => {
  fault = () => "500";
  await space.write("rows.jsonl", '{"prompt": "row 7", "responses": ["other"]}\n');
  await space.write("robust.align", pipeline("").replace("retries: 30", "retries: 2"));
  const failed = await space.align("run", "robust.align", "--retries", "0");
  expect(failed.status).toBe(1);
  expect(failed.stderr).toContain("500 no (Bearer •••)");
  expect(failed.stdout + failed.stderr).not.toContain(key);
  await space.align("report", "robust.align");
  const files = (await readdir(space.dir, { recursive: true, withFileTypes: true })).filter((f) =>
    f.isFile(),
  );
  const found: string[] = [];
  for (const file of files) {
    const path = join(file.parentPath, file.name);
    if ((await readFile(path)).includes(key)) found.push(path);
  }
  expect(found).toEqual([]);
  expect(files.map(({ name }) => name)).toContain("robust.html");
  expect(files.length).toBeGreaterThan(20);
  console.log(`the key is in none of ${files.length} files`);
}, 120_000);
