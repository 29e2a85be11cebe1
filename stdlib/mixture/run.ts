// Draws a mixture: tasks → rates → how many rows of each → which rows, in which words, in a random order.
import {
  type OutputContext,
  type RowData,
  type Rows,
  type RunResult,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Random, stream } from "../../tensor/index.ts";
import { type RenderedRow, renderRow } from "../template/render-row.ts";
import { IndexedRows } from "./indexed-rows.ts";
import { allot, counted, rates, type Task } from "./rates.ts";
import { summaryOf } from "./summary.ts";

interface Common {
  readonly examples?: number;
  /** Of each dataset, in their order. */
  readonly templates: readonly (readonly Json[])[];
  readonly seed: number;
}
interface Proportional extends Common {
  readonly examples_per_dataset?: number;
  readonly rate_maximum?: number;
  readonly temperature: number;
  readonly per: "dataset" | "template";
}
interface Weighted extends Common {
  readonly weights?: number[];
}

/** A task with the rows that it draws from. */
interface Part extends Task {
  readonly indices: readonly number[];
  readonly words: readonly ((row: RowData) => RenderedRow)[];
}

export const proportional: StageRun<Proportional> = {
  run: (ctx) =>
    mix(ctx, async (sources, random) => {
      const { params } = ctx;
      const tasks: Part[] = [];
      for (const [dataset, source] of sources.entries()) {
        const words = wordsOf(params.templates[dataset]);
        const all = sampled(source.count, params.examples_per_dataset, random.split(`sample ${dataset}`));
        if (params.per === "dataset")
          tasks.push({ dataset, rows: all.length, parts: 1, indices: all, words });
        else tasks.push(...(await perTemplate(dataset, source, all, words)));
      }
      const { rate_maximum: maximum } = params;
      const total = tasks.reduce((sum, task) => sum + counted(task, maximum), 0);
      return { tasks, rates: rates(tasks, params), total };
    }),
};

export const weighted: StageRun<Weighted> = {
  run: (ctx) =>
    mix(ctx, async (sources) => {
      const { weights, templates } = ctx.params;
      const tasks = sources.map((source, dataset): Part => {
        const indices = Array.from({ length: source.count }, (_, i) => i);
        return { dataset, rows: source.count, parts: 1, indices, words: wordsOf(templates[dataset]) };
      });
      const given = weights ?? tasks.map(() => 1);
      const total = tasks.reduce((sum, { rows }) => sum + rows, 0);
      return { tasks, rates: given, total };
    }),
};

interface Planned {
  readonly tasks: readonly Part[];
  readonly rates: readonly number[];
  /** Rows to draw unless somebody says how many. */
  readonly total: number;
}

async function mix(
  ctx: OutputContext<Common>,
  planned: (sources: readonly IndexedRows[], random: Random) => Promise<Planned>,
): Promise<RunResult> {
  const { params, inputs } = ctx;
  const random = stream(params.seed).split("mixture");
  const sources: IndexedRows[] = [];
  try {
    for (const { dir } of inputs.data!) sources.push(await IndexedRows.open(dir));
    const { tasks, rates, total } = await planned(sources, random);
    const empty = tasks.find((task) => task.rows === 0);
    if (empty || tasks.length === 0) {
      throw new TaskError({
        code: "no-rows",
        message: `${inputs.data![empty?.dataset ?? 0]?.node ?? "the mixture"} has no rows to draw`,
        help: "leave it out of the mixture, or see what filters it",
      });
    }
    const examples = params.examples ?? total;
    const drawn = allot(rates, examples, random.split("allot"));
    const written = await writeRows(ctx.out, rowsOf(tasks, drawn, sources, random), (done) => {
      if (done % 1000 === 0) ctx.progress({ done, total: examples, unit: "rows" });
    });
    return summaryOf(tasks, rates, drawn, written.rows);
  } finally {
    for (const source of sources) await source.close();
  }
}

async function* rowsOf(
  tasks: readonly Part[],
  drawn: readonly number[],
  sources: readonly IndexedRows[],
  random: Random,
): Rows {
  const queues = tasks.map((task, t) => endless(task.indices, random.split(`task ${t}`)));
  const choice = random.split("template");
  const order = random.split("order").shuffle(drawn.flatMap((n, t) => new Array<number>(n).fill(t)));
  const inWords = tasks.some((task) => task.words.length > 0);
  for (const t of order) {
    const { dataset, words } = tasks[t]!;
    const row = await sources[dataset]!.row(queues[t]!.next().value);
    if (words.length > 0) yield words[choice.int(words.length)]!(row);
    else yield inWords ? { prompt: row.prompt!, completion: row.completion! } : row;
  }
}

/** Every item once in a random order, then again in another. */
function* endless(items: readonly number[], random: Random): Generator<number, never> {
  for (let pass = 0; ; pass++) yield* random.split(`pass ${pass}`).shuffle(items);
}

/** All rows, or a random sample in their order: the files of a dataset are often sorted. */
function sampled(count: number, most: number | undefined, random: Random): number[] {
  const all = Array.from({ length: count }, (_, i) => i);
  if (most === undefined || count <= most) return all;
  return random
    .shuffle(all)
    .slice(0, most)
    .sort((a, b) => a - b);
}

function wordsOf(templates: readonly Json[] = []): ((row: RowData) => RenderedRow)[] {
  return templates.map((texts) => renderRow(texts));
}

/** A part for each template, or for each value of the column `template` of rows that are in words already. */
async function perTemplate(
  dataset: number,
  source: IndexedRows,
  all: readonly number[],
  words: readonly ((row: RowData) => RenderedRow)[],
): Promise<Part[]> {
  if (words.length > 0)
    return words.map((word) => ({
      dataset,
      rows: all.length,
      parts: words.length,
      indices: all,
      words: [word],
    }));
  const byTemplate = new Map<string, number[]>();
  for (const index of all) {
    const { template = null } = await source.row(index);
    const key = JSON.stringify(template);
    const known = byTemplate.get(key);
    if (known) known.push(index);
    else byTemplate.set(key, [index]);
  }
  const parts = byTemplate.size;
  return [...byTemplate.values()].map((indices) => ({
    dataset,
    rows: indices.length,
    parts,
    indices,
    words,
  }));
}
