import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { PlannedFile, PlanTask } from "../plan/plan.ts";
import type { RowData } from "../task.ts";
import { sharedRows } from "./held-out.ts";
import { writeRows } from "./rows.ts";

const dir = mkdtempSync(join(tmpdir(), "align-held-out-"));

async function artifact(name: string, rows: readonly RowData[]): Promise<{ node: string; dir: string }> {
  mkdirSync(join(dir, name), { recursive: true });
  await writeRows(join(dir, name), rows);
  return { node: name, dir: join(dir, name) };
}

function task(id: string, lines: readonly RowData[]): PlanTask {
  const path = join(dir, `${id}.jsonl`);
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  const file: PlannedFile = { name: `${id}.jsonl`, path, sha256: "", size: 0, stamp: "" };
  return { id, kind: "dataset", needs: [], calls: [{ files: { paths: [file] } }] } as unknown as PlanTask;
}

const asked = (n: number) => ({ prompt: `what is ${n} + ${n} ?`, completion: `${2 * n}` });

test("a held-out row that is trained on is named with the line of both files", async () => {
  const train = [1, 2, 7, 4].map(asked);
  const held = [5, 6, 7].map(asked);
  const tasks = [task("train", train), task("held", held)];
  const found = await sharedRows(
    { tasks },
    // Shuffled on the way: the line is that of the file, not of the rows.
    { ...(await artifact("train", [...train].reverse())), stage: "tuned" },
    await artifact("held", held),
  );
  expect(found).toMatchObject({
    code: "held-out-row-in-training",
    message: 'tuned trains on a row of held: {"completion":"14","prompt":"what is 7 + 7 ?"}',
    where: "held.jsonl:3 and train.jsonl:3",
  });
});

test("what both have in words decides: votes and other columns do not hide a row", async () => {
  const train = [1, 2, 3].map((n) => ({ ...asked(n), votes: n, topic: "sums" }));
  const held = [2, 3, 9].map((n) => ({ prompt: asked(n).prompt, votes: 0 }));
  const found = await sharedRows(
    { tasks: [] },
    { ...(await artifact("voted", train)), stage: "tuned" },
    await artifact("prompts", held),
  );
  expect(found).toMatchObject({
    message: 'tuned trains on 2 rows of prompts: {"prompt":"what is 2 + 2 ?"}',
    where: "row 1 of prompts and row 2 of voted",
  });
});

test.each([
  ["rows are apart", [1, 2].map(asked), [3, 4].map(asked)],
  ["they have no words in common", [{ text: "a" }, { text: "b" }], [{ prompt: "a" }, { prompt: "b" }]],
  [
    "a column does not tell rows apart",
    [{ topic: "sums", text: "a" }],
    [1, 2, 3].map((n) => ({ topic: "sums", prompt: `${n}` })),
  ],
])("nothing is said where %s", async (name, train, held) => {
  const found = await sharedRows(
    { tasks: [] },
    { ...(await artifact(`train ${name}`, train)), stage: "tuned" },
    await artifact(`held ${name}`, held),
  );
  expect(found).toBeUndefined();
});
