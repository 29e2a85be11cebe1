import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRowJournal } from "../../engine/index.ts";
import { script } from "../lexicon/index.ts";
import { columnsOf, datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { judge } from "./index.ts";

async function judgeOf(body: string): Promise<string> {
  const path = join(await temporaryFolder(), "judge.js");
  await writeFile(path, `export default ${body};\n`);
  return (await runWith(script, { path }, { files: { path: [path] } })).dir;
}

const rows = [
  { prompt: "ab", responses: ["c", "ddd"], id: 7 },
  { prompt: [{ role: "user", content: "x" }], responses: [] },
  { prompt: "", responses: ["ee"] },
];

test("every response gets a score, and the row keeps its columns", async () => {
  const inputs = { data: await datasetOf(rows), by: await judgeOf("({ response }) => response.length") };
  const seen: number[] = [];
  const { dir, metrics } = await runWith(
    judge,
    {},
    { inputs, onProgress: (p) => seen.push(p.done / p.total) },
  );
  expect(await rowsIn(dir)).toEqual([
    { ...rows[0], scores: [1, 3] },
    { ...rows[1], scores: [] },
    { ...rows[2], scores: [2] },
  ]);
  // (1 + 3 + 2) / 3
  expect(metrics).toEqual({
    mean_score: 2,
    min_score: 1,
    max_score: 3,
    rows: 3,
    responses: 3,
    malformed: 0,
  });
  expect(seen).toEqual([1 / 3, 2 / 3, 1]);
});

test("a program is asked one question at a time: a kill cuts off one answer, and no more", async () => {
  const by = await judgeOf(
    `(() => {
      let open = 0;
      return async () => {
        open++;
        await new Promise((resolve) => setTimeout(resolve, 1));
        return open--;
      };
    })()`,
  );
  const { dir } = await runWith(judge, {}, { inputs: { data: await datasetOf(rows), by } });
  expect((await rowsIn(dir)).map((row) => row.scores)).toEqual([[1, 1], [], [1]]);
});

test("score: full puts the prompt before the response", async () => {
  const inputs = { data: await datasetOf(rows), by: await judgeOf("({ response }) => response.length") };
  const { dir } = await runWith(judge, { score: "full" }, { inputs });
  expect((await rowsIn(dir)).map((row) => row.scores)).toEqual([[3, 5], [], [2]]);
});

test("rationales and aspects become columns where some response has them", async () => {
  const by = await judgeOf(
    "({ response }) => response === 'c' ? { score: 1, rationale: 'short', aspects: { a: 2 } } : 0",
  );
  const { dir } = await runWith(judge, {}, { inputs: { data: await datasetOf(rows.slice(0, 1)), by } });
  expect(await rowsIn(dir)).toEqual([
    { ...rows[0], scores: [1, 0], rationales: ["short", null], aspects: [{ a: 2 }, null] },
  ]);
});

test("a score that is no number stops the stage and names the row; so does a response that is no text", async () => {
  const nan = await judgeOf("({ response }) => response === 'ee' ? 1 / 0 : 1");
  const run = (data: string, by: string) => runWith(judge, {}, { inputs: { data, by } });
  await expect(run(await datasetOf(rows), nan)).rejects.toThrow("the score is Infinity");
  const one = await judgeOf("() => 1");
  await expect(run(await datasetOf([{ prompt: "a", responses: [3] }]), one)).rejects.toThrow(
    "row 1 has a list in responses",
  );
  await expect(run(await datasetOf([{ prompt: "a", responses: [] }]), one)).rejects.toThrow(
    "no response to judge",
  );
});

test("the output is rated", () => {
  const row = { columns: { prompt: "string", responses: "list", models: "list" } } as const;
  expect(columnsOf(judge, { row })).toEqual({
    prompt: "string",
    responses: "list",
    models: "list",
    scores: "list",
  });
});

test("a hundred rows, then ten more: a hundred calls, then ten", async () => {
  const by = await judgeOf(
    "({ response }) => { globalThis.calls = (globalThis.calls ?? 0) + 1; return response.length; }",
  );
  const calls = (globalThis as { calls?: number }).calls ?? 0;
  const made = () => ((globalThis as { calls?: number }).calls ?? 0) - calls;
  const path = join(await temporaryFolder(), "rows.jsonl");
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ prompt: `p${i}`, responses: ["x".repeat(i + 1)] }));
  const run = async (count: number) => {
    // A process of its own, as far as the journal can tell.
    const journal = openRowJournal(path);
    const inputs = { data: await datasetOf(many(count)), by };
    return runWith(judge, {}, { inputs, journal }).finally(() => journal.close());
  };
  const whole = await runWith(judge, {}, { inputs: { data: await datasetOf(many(110)), by } });
  expect(made()).toBe(110);
  const first = await run(100);
  expect(made()).toBe(110 + 100);
  expect(await rowsIn((await run(100)).dir)).toEqual(await rowsIn(first.dir));
  expect(made()).toBe(110 + 100);
  const more = await run(110);
  expect(made()).toBe(110 + 100 + 10);
  expect(await rowsIn(more.dir)).toEqual(await rowsIn(whole.dir));
  expect(more.metrics).toEqual(whole.metrics);
});
