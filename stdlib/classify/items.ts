// Reads rows as questions with answers: each row by each template, with solved examples before it.
import { type Artifact, type RowData, readRows, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { stream } from "../../tensor/index.ts";
import { textIn } from "../data/row-text.ts";
import { labelsOf, textsIn } from "../prompts/classification.ts";
import { nameOf } from "../prompts/render.ts";
import { renderRow } from "../template/index.ts";

export interface Question {
  readonly prompt: string;
  readonly choices: readonly string[];
  /** Positions of the right choices. */
  readonly labels: readonly number[];
  /** What a row itself says stands between prompt and answer, whatever they are. */
  readonly delimiter?: string;
}

export interface Item extends Question {
  readonly dataset: string;
  readonly template: string;
  /** Items of one row share it, whatever their templates. */
  readonly example: string;
  /** Candidates to show before it, solved, in this order. */
  readonly shots: readonly Question[];
}

export interface Asking {
  /** Of each dataset, in their order. */
  readonly templates?: readonly (readonly unknown[])[];
  readonly shots: number;
  readonly seed: number;
}

type Place = Pick<Artifact, "dir" | "node">;

/** The items of several datasets; a row may name its own in a column `dataset`. */
export async function readItems(
  data: readonly Place[],
  examples: Place | undefined,
  asking: Asking,
): Promise<Item[]> {
  const pool = examples ? await rowsOf(examples) : [];
  const items: Item[] = [];
  const seen = new Map<string, number>();
  for (const [index, artifact] of data.entries()) {
    for (const [i, row] of (await rowsOf(artifact)).entries()) {
      const dataset = typeof row.dataset === "string" ? row.dataset : String(index + 1);
      const example = typeof row.example === "string" ? row.example : nameOf(row);
      const drawn = draw(pool, row, example, asking);
      const templates = asking.templates?.[index];
      for (const { question, template, at } of ask(row, i + 1, templates)) {
        items.push({
          ...question,
          dataset,
          template,
          example: unlike(example, [dataset, template]),
          shots: drawn.flatMap((shot) => ask(shot, 0, templates)[at] ?? []).map((shot) => shot.question),
        });
      }
    }
  }
  if (items.length > 0) return items;
  throw new TaskError({
    code: "no-rows",
    message: `${data.map(({ node }) => node).join(" and ")} has no rows, so there is nothing to classify`,
    help: "look at its filters: a `skip` past the end leaves nothing",
  });

  /** Equal rows of a dataset are examples of their own, told apart by their count. */
  function unlike(example: string, place: readonly string[]): string {
    const key = JSON.stringify([...place, example]);
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? example : `${example}/${count}`;
  }
}

async function rowsOf({ dir }: Place): Promise<RowData[]> {
  const rows: RowData[] = [];
  for await (const row of readRows(dir)) rows.push(row);
  return rows;
}

interface Asked {
  readonly question: Question;
  readonly template: string;
  /** Which of the templates, so that solved examples are put in the same words. */
  readonly at: number;
}

/** `number` counts rows from 1. */
function ask(row: RowData, number: number, templates: readonly unknown[] = []): Asked[] {
  const choices = textsIn(row.choices, number);
  const labels = labelsOf(row.label, choices, number);
  if (templates.length === 0) {
    const template = row.template === undefined ? "1" : String(row.template);
    const between = typeof row.delimiter === "string" ? { delimiter: row.delimiter } : {};
    const question = { prompt: textIn(row, "prompt", number), choices, labels, ...between };
    return [{ question, template, at: 0 }];
  }
  return templates.map((template, at) => {
    const { prompt } = renderRow(template as Json)(row);
    return { question: { prompt, choices, labels }, template: String(at + 1), at };
  });
}

/** Other rows of the pool, in the words of the same template; the draw depends on the row and the seed alone. */
function draw(
  pool: readonly RowData[],
  row: RowData,
  example: string,
  { shots, seed, templates }: Asking,
): RowData[] {
  if (shots === 0) return [];
  const fitting = pool.filter(
    (other) =>
      (typeof other.example === "string" ? other.example : nameOf(other)) !== example &&
      (templates !== undefined || other.template === row.template) &&
      (other.dataset === undefined || row.dataset === undefined || other.dataset === row.dataset),
  );
  const random = stream(seed).split("shots").split(example);
  return random.shuffle(fitting).slice(0, shots);
}
