// Holds a judge's scores against comparisons: read → score every response → pairs in which they agree.
import { type RowData, readColumns, readRows, type StageRun, TaskError } from "../../engine/index.ts";
import { inOrder } from "../assistant/in-order.ts";
import { checkedScore, type Judge, type JudgeRequest, openJudge } from "../judge/judges.ts";
import { agreement, labelerTable, leads, type Measured } from "./measure.ts";
import { type Comparison, comparisonIn } from "./rankings.ts";

/** Responses that are scored together: enough to fill a reward model's batches. */
const AT_ONCE = 256;

export const preferenceAccuracy: StageRun<{ readonly seed: number }> = {
  async run(ctx) {
    const by = await openJudge(ctx.inputs.judge![0]!, ctx);
    const data = ctx.inputs.data![0]!.dir;
    const { rows: total } = await readColumns(data);
    const measured: Measured[] = [];
    const lengths: Measured[] = [];
    let number = 0;
    let waiting: { row: RowData; comparison: Comparison }[] = [];
    const flush = async () => {
      const scores = await scoresOf(by, waiting);
      for (const { comparison } of waiting) {
        const { responses, ...rest } = comparison;
        measured.push({ ...rest, rewards: scores.splice(0, responses.length) });
        lengths.push({ ...rest, rewards: responses.map((text) => text.split(/\s+/).filter(Boolean).length) });
      }
      waiting = [];
      ctx.progress({ done: number, total, unit: "rows" });
    };
    for await (const row of readRows(data)) {
      const comparison = comparisonIn(row, ++number);
      if (new Set(comparison.ranks).size > 1) waiting.push({ row, comparison });
      if (waiting.reduce((n, { comparison: { responses } }) => n + responses.length, 0) >= AT_ONCE)
        await flush();
    }
    await flush();
    await by.dispose?.();
    if (measured.length === 0) {
      throw new TaskError({
        code: "no-rankings",
        message: `in each of the ${number} comparisons all responses tie`,
        help: "look at the stage that made them",
      });
    }
    const { accuracy, interval, pairs } = agreement(measured, ctx.params.seed);
    const labelers = labelerTable(measured, ctx.params.seed);
    return {
      metrics: {
        accuracy,
        accuracy_low: interval.low,
        accuracy_high: interval.high,
        longer: share(lengths),
        comparisons: measured.length,
        pairs,
      },
      ...(labelers === "" ? {} : { summary: `Agreement with the labelers\n${labelers}\n` }),
    };
  },
};

function share(measured: readonly Measured[]): number {
  const all = measured.flatMap(leads);
  return all.reduce((n, d) => n + (d > 0 ? 1 : d === 0 ? 0.5 : 0), 0) / all.length;
}

async function scoresOf(
  by: Judge,
  comparisons: readonly { readonly row: RowData; readonly comparison: Comparison }[],
): Promise<number[]> {
  const requests = comparisons.flatMap(({ row, comparison }) =>
    comparison.responses.map((response) => ({ prompt: row.prompt ?? "", response, row })),
  );
  if (by.scoreAll) return (await by.scoreAll(requests)).map(({ score }) => score);
  const scores: number[] = [];
  const ask = async (request: JudgeRequest) => checkedScore(await by.score(request), "the judge");
  for await (const { score } of inOrder(requests, by.concurrency ?? 1, ask)) scores.push(score);
  return scores;
}
