// A run that has nothing to do is told from memory: what it says, and every reason not to.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunEvent, type Workspace, workspace } from "../align.ts";

const main = `import { shared } from "./shared.align"

pipeline unchanged

dataset parts = jsonl("parts/*.jsonl")
dataset both  = parts |> concat([shared])

publish both to "out"
`;
const shared = 'export dataset shared = jsonl("shared.jsonl") |> take(1)\n';

let work: Workspace;
beforeAll(async () => {
  work = await workspace();
  await work.write("main.align", main);
  await work.write("shared.align", shared);
  await work.write("shared.jsonl", '{"prompt":"c"}\n');
  mkdirSync(join(work.dir, "parts"));
  for (const name of ["a", "b"]) await work.write(`parts/${name}.jsonl`, `{"prompt":"${name}"}\n`);
});
afterAll(() => work.remove());

const memories = () =>
  readdirSync(join(work.dir, ".align/standing")).map((n) => join(work.dir, ".align/standing", n));
/** A mark in what is remembered shows who answers. */
const MARK = "told from memory";
function mark(): void {
  for (const path of memories())
    writeFileSync(path, readFileSync(path, "utf8").replace('"reason":"unchanged"', `"reason":"${MARK}"`));
}
const fromMemory = (events: readonly RunEvent[]) => JSON.stringify(events).includes(MARK);
const ran = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === "task-finished" ? [event.node] : [])).sort();
const rows = () => readFileSync(join(work.dir, "out/rows.jsonl"), "utf8").match(/"prompt":"\w"/g)?.length;

describe("a run with nothing to do", () => {
  test("says the same as one that looks at everything", async () => {
    expect(ran(await work.events("main.align"))).toEqual(["both", "parts", "shared"]);
    const told = await work.events("main.align");
    const looked = await work.events("main.align", "--verify-inputs");
    const plain = (events: readonly RunEvent[]) =>
      events.map(({ at: _, run: _run, ...event }) =>
        event.type === "run-finished" ? { ...event, seconds: 0 } : event,
      );
    expect(plain(told)).toEqual(plain(looked));
    const [a, b] = [
      await work.align("run", "main.align"),
      await work.align("run", "main.align", "--verify-inputs"),
    ];
    expect([a.status, a.stdout]).toEqual([b.status, b.stdout]);
    const lines = (text: string) => text.replace(/run \d\S+/, "run").replace(/in [\d.]+ s/, "");
    expect(lines(a.stderr)).toBe(lines(b.stderr));
  });

  test("is told from memory, and is a run like any other to the journal", async () => {
    mark();
    const before = readdirSync(join(work.dir, ".align/runs")).length;
    expect(fromMemory(await work.events("main.align"))).toBe(true);
    expect(readdirSync(join(work.dir, ".align/runs"))).toHaveLength(before + 1);
    expect(fromMemory(await work.events("main.align", "--verify-inputs"))).toBe(false);
    expect((await work.align("report", "main.align")).status).toBe(0);
  });

  const reasons: readonly [string, () => void | Promise<void>, readonly string[]][] = [
    ["the file is edited", () => work.edit("main.align", (text) => `// a comment\n${text}`), []],
    [
      "a file that it imports is edited",
      () => work.edit("shared.align", (t) => t.replace("take(1)", "take(2)")),
      ["shared"],
    ],
    [
      "a data file is edited",
      () => work.edit("parts/a.jsonl", (text) => text.replace("a", "x")),
      ["both", "parts"],
    ],
    [
      "a file comes that a pattern matches",
      () => work.write("parts/c.jsonl", '{"prompt":"y"}\n'),
      ["both", "parts"],
    ],
    ["a file goes that a pattern matched", () => rmSync(join(work.dir, "parts/c.jsonl")), []],
    ["what was published is edited", () => work.write("out/rows.jsonl", "mine\n"), []],
    ["what was published is removed", () => rmSync(join(work.dir, "out"), { recursive: true }), []],
    [
      "an artifact is damaged",
      () => rmSync(join(work.dir, ".align/objects"), { recursive: true }),
      ["both", "parts", "shared"],
    ],
  ];
  test.each(reasons)("is looked at again when %s", async (_why, change, expected) => {
    await work.events("main.align");
    mark();
    await change();
    const events = await work.events("main.align");
    expect(fromMemory(events)).toBe(false);
    expect(ran(events)).toEqual(expected);
    expect(rows()).toBe(3 + (readdirSync(join(work.dir, "parts")).length - 2));
    mark();
    expect(fromMemory(await work.events("main.align"))).toBe(true);
  });

  test("is looked at again with other options", async () => {
    mark();
    expect(fromMemory(await work.events("main.align", "--only", "parts"))).toBe(false);
  });

  test("of a file that is warned about is looked at each time, for the warnings", async () => {
    await work.edit("main.align", (text) => `${text}dataset unused = jsonl("shared.jsonl")\n`);
    const warnings = [];
    for (let i = 0; i < 3; i++)
      warnings.push((await work.align("run", "main.align")).stderr.includes("warning"));
    expect(new Set(warnings).size).toBe(1);
  });
});
