// Scores responses row by row: read → score → keep → write.
import {
  type OutputContext,
  once,
  type RowData,
  type Rows,
  readColumns,
  readRows,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import { inOrder } from "../assistant/in-order.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { plainText } from "../template/index.ts";
import { checkedScore, type Judge, type Malformed, openJudge, type Score } from "./judges.ts";
import { type Comparison, comparePairs } from "./pairs.ts";
import { type GivenVerdictParams, verdictsOf } from "./verdict-params.ts";

export interface JudgeParams extends GivenVerdictParams {
  readonly score: "response" | "full";
  readonly compare: "none" | "pairs";
  readonly reference?: string;
}

export const judge: StageRun<JudgeParams> = {
  async run(ctx) {
    const by = await openJudge(ctx.inputs.by![0]!, ctx, verdictsOf(ctx.params));
    try {
      return await scoreAll(ctx, by);
    } finally {
      await by.dispose?.();
    }
  },
};

async function scoreAll(ctx: OutputContext<JudgeParams>, by: Judge) {
  const data = ctx.inputs.data![0]!.dir;
  const { rows: total } = await readColumns(data);
  const ask = ctx.params.compare === "pairs" ? pairsOf(by, ctx) : scoresOf(by, ctx);
  let [sum, responses, min, max, malformed] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0];

  async function* scored(): Rows {
    let done = 0;
    // A judge that takes several questions at once is kept busy beyond the last ones of a row.
    const rowsAtOnce = by.concurrency === undefined ? 1 : 2 * by.concurrency;
    for await (const { row, scores, columns } of inOrder(readRows(data), rowsAtOnce, ask)) {
      for (const score of scores) {
        if (score === null) {
          malformed++;
          continue;
        }
        responses++;
        sum += score;
        min = Math.min(min, score);
        max = Math.max(max, score);
      }
      yield { ...row, scores, ...columns };
      ctx.progress({ done: ++done, total, unit: "rows" });
    }
  }

  const { rows } = await writeRows(ctx.out, scored());
  if (responses === 0) {
    throw new TaskError({
      code: "no-rows",
      message:
        malformed > 0 ? `none of the ${malformed} verdicts could be read` : "there is no response to judge",
    });
  }
  return {
    metrics: { mean_score: sum / responses, min_score: min, max_score: max, rows, responses, malformed },
  };
}

interface Scored {
  readonly row: RowData;
  /** Null for a verdict that could not be read. */
  readonly scores: readonly (number | null)[];
  readonly columns: RowData;
}

function scoresOf(by: Judge, { params, journal }: OutputContext<JudgeParams>) {
  return async (row: RowData, index: number): Promise<Scored> => {
    const rate = (response: string, i: number): Promise<Score | Malformed> => {
      const read = params.score === "full" ? plainText(row.prompt, "prompt") + response : response;
      const request = {
        prompt: row.prompt ?? "",
        response: read,
        row,
        ...referenceIn(row, params, index + 1),
      };
      if (by.rate) return by.rate(request);
      const what = `response ${i + 1} of row ${index + 1}`;
      return once(journal, [row, i], async () => ({ ...checkedScore(await by.score(request), what) }));
    };
    const verdicts: (Score | Malformed)[] = [];
    for await (const verdict of inOrder(textsIn(row, index + 1), by.concurrency ?? 1, rate))
      verdicts.push(verdict);
    return {
      row,
      scores: verdicts.map((v) => ("malformed" in v ? null : v.score)),
      columns: columnsOf(verdicts),
    };
  };
}

/** Columns for what some response of the row has. */
function columnsOf(verdicts: readonly (Score | Malformed)[]): RowData {
  const read = verdicts.map((v): Partial<Score> => ("malformed" in v ? {} : v));
  return {
    ...(read.some((s) => s.rationale !== undefined)
      ? { rationales: read.map((s) => s.rationale ?? null) }
      : {}),
    ...(read.some((s) => s.aspects !== undefined) ? { aspects: read.map((s) => s.aspects ?? null) } : {}),
    ...(verdicts.some((v) => "malformed" in v)
      ? { malformed: verdicts.map((v) => ("malformed" in v ? v.malformed : null)) }
      : {}),
  };
}

function pairsOf(by: Judge, { params }: OutputContext<JudgeParams>) {
  return async (row: RowData, index: number): Promise<Scored> => {
    const texts = textsIn(row, index + 1);
    const request = { prompt: row.prompt ?? "", row, ...referenceIn(row, params, index + 1) };
    const comparisons = await comparePairs(by, texts, request);
    const points = (i: number) =>
      comparisons.flatMap(({ a, b, points }: Comparison) =>
        points === null ? [] : a === i ? [points] : b === i ? [1 - points] : [],
      );
    const mean = (list: readonly number[]) =>
      list.length === 0 ? null : list.reduce((sum, p) => sum + p, 0) / list.length;
    return {
      row,
      scores: texts.map((_, i) => mean(points(i))),
      columns: { comparisons: comparisons.map((comparison) => ({ ...comparison })) },
    };
  };
}

function textsIn(row: RowData, number: number): string[] {
  return listIn(row, "responses", number).map((response) => {
    if (typeof response === "string") return response;
    throw wrongColumn(row, "responses", number, "a list of texts");
  });
}

function referenceIn(
  row: RowData,
  { reference: column }: JudgeParams,
  number: number,
): { reference?: string } {
  if (column === undefined) return {};
  const reference = row[column];
  if (typeof reference === "string") return { reference };
  throw wrongColumn(row, column, number, "a text");
}
