// Scores responses row by row: read → score → keep → write.
import {
  once,
  type Rows,
  readColumns,
  readRows,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { plainText } from "../template/index.ts";
import { checkedScore, openJudge, type Score } from "./judges.ts";

interface Params {
  readonly score: "response" | "full";
}

export const judge: StageRun<Params> = {
  async run(ctx) {
    const by = await openJudge(ctx.inputs.by![0]!.dir, ctx);
    const data = ctx.inputs.data![0]!.dir;
    const { rows: total } = await readColumns(data);
    let [sum, responses, min, max] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

    async function* scored(): Rows {
      let number = 0;
      for await (const row of readRows(data)) {
        number++;
        const scores: Score[] = [];
        for (const [i, response] of listIn(row, "responses", number).entries()) {
          if (typeof response !== "string") throw wrongColumn(row, "responses", number, "a list of texts");
          const read = ctx.params.score === "full" ? plainText(row.prompt, "prompt") + response : response;
          const what = `response ${i + 1} of row ${number}`;
          // Kept at once: a judge may cost money.
          const ask = async () => ({
            ...checkedScore(await by.score({ prompt: row.prompt ?? "", response: read, row }), what),
          });
          scores.push(await once(ctx.journal, [row, i], ask));
        }
        for (const { score } of scores) {
          sum += score;
          min = Math.min(min, score);
          max = Math.max(max, score);
        }
        responses += scores.length;
        yield { ...row, scores: scores.map((s) => s.score), ...extras(scores) };
        ctx.progress({ done: number, total, unit: "rows" });
      }
    }

    const { rows } = await writeRows(ctx.out, scored());
    if (responses === 0) {
      throw new TaskError({ code: "no-rows", message: "there is no response to judge" });
    }
    return {
      metrics: { mean_score: sum / responses, min_score: min, max_score: max, rows, responses },
    };
  },
};

/** Columns for what some response of the row has. */
function extras(scores: readonly Score[]) {
  return {
    ...(scores.some((s) => s.rationale !== undefined)
      ? { rationales: scores.map((s) => s.rationale ?? null) }
      : {}),
    ...(scores.some((s) => s.aspects !== undefined) ? { aspects: scores.map((s) => s.aspects ?? null) } : {}),
  };
}
