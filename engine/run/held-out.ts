// Finds rows that a stage measures on among the rows that another trains on, by their digests, and where both stand in their files.
import { createHash } from "node:crypto";
import { canonicalJson } from "../canonical.ts";
import type { Plan, PlannedFile, PlanTask } from "../plan/plan.ts";
import type { Problem } from "../problem.ts";
import type { RowData } from "../task.ts";
import { linesOf, parseRow, readColumns, readRows } from "./rows.ts";

/** Held-out rows whose digests are held; of more than that the first are looked for. */
const HELD = 1_000_000;

export interface Rows {
  readonly node: string;
  readonly dir: string;
}

/** What to say of two sets of rows that ought to be apart; undefined when they are. */
export async function sharedRows(
  plan: Pick<Plan, "tasks">,
  training: Rows & { readonly stage: string },
  evaluation: Rows,
): Promise<Problem | undefined> {
  const columns = await textsOfBoth(training.dir, evaluation.dir);
  const held = await digestsIn(evaluation.dir, columns);
  if (!held) return undefined;
  let [count, number] = [0, 0];
  let first: { row: RowData; digest: string; number: number } | undefined;
  for await (const row of readRows(training.dir)) {
    number++;
    const digest = digestOf(row, columns);
    if (digest === undefined || !held.has(digest)) continue;
    count++;
    first ??= { row, digest, number };
  }
  if (!first) return undefined;
  const { row, digest } = first;
  const places = [
    await placeOf(plan, evaluation.node, columns, digest, held.get(digest)!),
    await placeOf(plan, training.node, columns, digest, first.number),
  ];
  const shown = Object.fromEntries(columns.map((name) => [name, row[name]]));
  const rows = count === 1 ? "a row of" : `${count} rows of`;
  return {
    code: "held-out-row-in-training",
    message: `${training.stage} trains on ${rows} ${evaluation.node}: ${shortened(JSON.stringify(shown))}`,
    where: places.join(" and "),
    help: "take it out of one of them; `split(part: …, by: …)` keeps rows of one origin apart",
  };
}

/** The columns of words that both have: how often a thing was asked or what it was rated is no part of what it is. */
async function textsOfBoth(a: string, b: string): Promise<string[]> {
  const [one, other] = [(await readColumns(a)).columns, (await readColumns(b)).columns];
  const isText = (type: string | undefined) => type === "string" || type === "messages";
  return Object.keys(one).filter((name) => isText(one[name]) && isText(other[name]));
}

/** Number of the first row with each digest; undefined when the columns do not tell rows apart, as `topic` alone would not. */
async function digestsIn(dir: string, columns: readonly string[]): Promise<Map<string, number> | undefined> {
  const digests = new Map<string, number>();
  let number = 0;
  for await (const row of readRows(dir)) {
    number++;
    const digest = digestOf(row, columns);
    if (digest !== undefined && !digests.has(digest)) digests.set(digest, number);
    if (number === HELD) break;
  }
  return digests.size > 0 && digests.size >= number / 2 ? digests : undefined;
}

function digestOf(row: RowData, columns: readonly string[]): string | undefined {
  if (columns.length === 0 || columns.some((name) => row[name] === undefined)) return undefined;
  const values = columns.map((name) => row[name]!);
  return createHash("sha256").update(canonicalJson(values)).digest("base64url").slice(0, 22);
}

/** `train.jsonl:17`, or the row of the dataset where its files are of another kind or say it in other columns. */
async function placeOf(
  plan: Pick<Plan, "tasks">,
  node: string,
  columns: readonly string[],
  digest: string,
  number: number,
): Promise<string> {
  for (const file of filesOf(plan, node)) {
    if (!file.path.endsWith(".jsonl")) continue;
    let line = 0;
    for await (const text of linesOf(file.path)) {
      line++;
      if (text.trim() === "") continue;
      const where = `${file.name}:${line}`;
      if (digestOf(parseRow(text, where), columns) === digest) return where;
    }
  }
  return `row ${number} of ${node}`;
}

/** Of a dataset and of those that it is made of. */
function* filesOf(plan: Pick<Plan, "tasks">, node: string): Generator<PlannedFile> {
  const tasks = new Map(plan.tasks.map((task) => [task.id, task]));
  const seen = new Set([node]);
  for (const id of seen) {
    const task: PlanTask | undefined = tasks.get(id);
    if (task?.kind !== "dataset" && task?.kind !== "mixture") continue;
    for (const call of task.calls) yield* Object.values(call.files).flat();
    for (const need of task.needs) seen.add(need);
  }
}

function shortened(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`;
}
