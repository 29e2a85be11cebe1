// `align run --rehearse`: what would fail hours into a run fails in seconds, and nothing of it stays.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Workspace, workspace } from "../align.ts";
import { corpus, words } from "../runs/make-corpus.ts";

let work: Workspace;
beforeAll(async () => {
  work = await workspace("test/runs");
  await work.write("corpus.txt", corpus(400, 1));
  await work.write("words.json", JSON.stringify(words));
  // As large as on the day of the run: half a day on this machine, if it were run.
  await work.edit("tiny.align", (text) =>
    text
      .replace(
        "layers: 2, hidden_size: 32, heads: 2, intermediate_size: 64",
        "layers: 12, hidden_size: 768, heads: 12",
      )
      .replace("steps: 20, batch_size: 4", "steps: 20_000, batch_size: 64")
      .replace("steps: 40", "steps: 4_000")
      .replace("samples: 3, max_new_tokens: 12", "samples: 16, max_new_tokens: 60"),
  );
});
afterAll(() => work.remove());

const artifacts = () => {
  const dir = join(work.dir, ".align/actions");
  return existsSync(dir) ? readdirSync(dir) : [];
};

describe("a rehearsal", () => {
  test("runs every stage of a large pipeline in seconds, and says what the run will take", async () => {
    const { status, stdout, stderr } = await work.align("run", "tiny.align", "--rehearse");
    expect(stderr).not.toContain("error");
    expect(status).toBe(0);
    for (const stage of [
      "prose",
      "heldout",
      "bpe",
      "base",
      "writer",
      "samples",
      "scored",
      "pairs",
      "aligned",
      "result",
    ])
      expect(stdout).toMatch(new RegExp(`✓ ${stage}  rehearsed in`));
    expect(stdout).toContain("all 16 stages would run");
    // Of base: time, arithmetic, tokens, memory and disk.
    expect(stdout).toMatch(/✓ base .*whole run: about .*FLOP · .* tokens · memory .* · disk/);
    expect(stdout).toMatch(/the whole run: about .* of computing on this machine/);
  });

  test("leaves nothing behind: no artifact, nothing published", () => {
    expect(artifacts()).toEqual([]);
    expect(existsSync(join(work.dir, "out"))).toBe(false);
  });

  test("finds a script at the far end that exits with 1, and one that misses a column", async () => {
    await work.write("grade.sh", "echo no such grader >&2\nexit 1\n");
    await work.write(
      "count.js",
      `const rows = require("node:fs").readFileSync(process.argv[2], "utf8").trim().split("\\n").map((row) => JSON.parse(row));
      require("node:fs").writeFileSync(process.argv[3], JSON.stringify({ length: rows[0].answer.length }));\n`,
    );
    await work.edit(
      "tiny.align",
      (text) => `${text}
stage grades = exec(answers: samples) { run: "sh grade.sh {answers} {out}", output: Metrics }
stage lengths = exec(answers: samples) { run: "node count.js {answers} {out}", output: Metrics }
`,
    );
    const { status, stdout, stderr } = await work.align("run", "tiny.align", "--rehearse");
    expect(status).toBe(1);
    expect(stdout).toContain("2 stages would fail: grades, lengths");
    expect(stdout).toMatch(/✓ result {2}rehearsed in/);
    expect(stderr).toContain("no such grader");
    expect(stderr).toContain("Cannot read properties of undefined (reading 'length')");
    expect(artifacts()).toEqual([]);
  });
});
