// Stages that run a command: what their key is made of, and what a failure says.
import { afterEach, beforeEach, expect, test } from "vitest";
import { ran, type Workspace, workspace } from "../align.ts";

let w: Workspace;

const pipeline = `
pipeline shell
dataset words = jsonl("words.jsonl") as Text
stage loud = exec(words, mark: "!") {
  run: "node shout.mjs --rules=rules.json {words} {out} {mark}"
  output: Text
}
stage count = exec(loud) { run: "node count.mjs {loud} {out}", output: Metrics, metrics: ["rows"] }
expect count.rows == 2
`;

beforeEach(async () => {
  w = await workspace();
  await w.write("shell.align", pipeline);
  await w.write("words.jsonl", '{"text":"yes"}\n{"text":"no"}\n');
  await w.write("rules.json", '{"upper":true}');
  await w.write(
    "shout.mjs",
    `import { readFileSync, writeFileSync } from "node:fs";
const [rules, from, to, mark] = process.argv.slice(2);
const { upper } = JSON.parse(readFileSync(rules.split("=")[1], "utf8"));
const rows = readFileSync(from, "utf8").trim().split("\\n").map((line) => JSON.parse(line));
writeFileSync(to, rows.map(({ text }) => JSON.stringify({ text: (upper ? text.toUpperCase() : text) + mark })).join("\\n"));
`,
  );
  await w.write(
    "count.mjs",
    `import { readFileSync, writeFileSync } from "node:fs";
const [from, to] = process.argv.slice(2);
writeFileSync(to, JSON.stringify({ rows: readFileSync(from, "utf8").trim().split("\\n").length }));
`,
  );
});
afterEach(() => w.remove());

test("a script, or a file that the command names, reruns the stage when its content changes, and nothing else does", async () => {
  expect(ran(await w.events("shell.align"))).toEqual(["words", "loud", "count"]);
  expect(ran(await w.events("shell.align"))).toEqual([]);
  await w.edit("shout.mjs", (text) => `// the same rows\n${text}`);
  // The same bytes came out: what reads them stays.
  expect(ran(await w.events("shell.align"))).toEqual(["loud"]);
  await w.write("rules.json", '{"upper":false}');
  expect(ran(await w.events("shell.align"))).toEqual(["loud", "count"]);
  await w.write("README.md", "not named");
  await w.edit("shell.align", (text) => text.replace("output: Text", "timeout: 1m, output: Text"));
  expect(ran(await w.events("shell.align"))).toEqual([]);
});

test("a failure shows the last lines that were printed, the status and how to do it by hand", async () => {
  await w.write("count.mjs", 'console.error("there are too many"); process.exit(7);');
  const { status, stderr } = await w.align("run", "shell.align");
  expect(status).toBe(1);
  expect(stderr).toContain("count: the command exited with status 7");
  expect(stderr).toContain("  | there are too many");
  expect(stderr).toMatch(/by hand: cd \S+ && node count\.mjs \S+rows\.jsonl \.\/out/);
});

test("a command that hangs is ended with everything it started", async () => {
  await w.edit("shell.align", (text) =>
    text
      .replace("node count.mjs {loud} {out}", "sleep 60; node count.mjs {loud} {out}")
      .replace("metrics:", "timeout: 500ms, metrics:"),
  );
  const { status, stderr } = await w.align("run", "shell.align");
  expect(status).toBe(1);
  expect(stderr).toContain("the command was ended after 0.5 s (timeout)");
});
