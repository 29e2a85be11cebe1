// Pairs the responses to each prompt by their scores.
import {
  canonicalJson,
  type Rows,
  readColumns,
  readRows,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import { type Random, stream } from "../../tensor/index.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";

export interface BinarizeParams {
  readonly pairs: "best_vs_random" | "best_vs_worst" | "all";
  readonly min_margin: number;
  readonly seed: number;
}

export const binarize: StageRun<BinarizeParams> = {
  async run(ctx) {
    const { params } = ctx;
    const data = ctx.inputs.data![0]!.dir;
    const { rows: total } = await readColumns(data);
    const random = stream(params.seed).split("binarize");
    let [rows, pairs, ties, below, unrated, margins] = [0, 0, 0, 0, 0, 0];

    async function* paired(): Rows {
      for await (const row of readRows(data)) {
        rows++;
        const given = listIn(row, "responses", rows);
        const all = listIn(row, "scores", rows);
        if (all.length !== given.length || !all.every((s) => s === null || Number.isFinite(s))) {
          throw wrongColumn(row, "scores", rows, `a number for each of the ${given.length} responses`);
        }
        // A judge whose verdict could not be read says so with null.
        const responses = given.filter((_, i) => all[i] !== null);
        const scores = all.filter((s): s is number => s !== null);
        unrated += given.length - responses.length;
        // Each row draws from a stream of its own, so that other rows do not change its pairs.
        const own = random.split(canonicalJson([row.prompt ?? null, responses]));
        for (const [better, worse] of choose(scores, params.pairs, own)) {
          const margin = scores[better]! - scores[worse]!;
          if (margin === 0 && !ctx.rehearsal) ties++;
          else if (margin < params.min_margin && !ctx.rehearsal) below++;
          else {
            pairs++;
            margins += margin;
            yield {
              prompt: row.prompt!,
              chosen: responses[better]!,
              rejected: responses[worse]!,
              chosen_score: scores[better]!,
              rejected_score: scores[worse]!,
            };
          }
        }
        ctx.progress({ done: rows, total, unit: "rows" });
      }
    }

    await writeRows(ctx.out, paired());
    if (pairs === 0) {
      throw new TaskError({
        code: "no-pairs",
        message: `none of the ${rows} prompts gave a pair: ${ties} ties, ${below} below min_margin, ${unrated} responses without a score`,
        help: "more samples per prompt, a higher temperature or a judge that tells responses apart would give some",
      });
    }
    return { metrics: { pairs, rows, ties, below_margin: below, unrated, mean_margin: margins / pairs } };
  },
};

/** Places of the higher and the lower scored response of each pair; equal scores in either order. */
export function choose(
  scores: readonly number[],
  pairs: BinarizeParams["pairs"],
  random: Random,
): (readonly [better: number, worse: number])[] {
  if (scores.length < 2) return [];
  // Among equals the first.
  const best = scores.indexOf(Math.max(...scores));
  switch (pairs) {
    case "best_vs_worst":
      return [[best, scores.lastIndexOf(Math.min(...scores))]];
    case "best_vs_random": {
      const other = random.int(scores.length - 1);
      return [[best, other < best ? other : other + 1]];
    }
    case "all":
      return scores.flatMap((a, i) =>
        scores
          .slice(i + 1)
          .map((b, k): readonly [number, number] => (a >= b ? [i, i + 1 + k] : [i + 1 + k, i])),
      );
  }
}
