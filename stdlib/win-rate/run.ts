// Joins responses with a baseline's by prompt and lets a judge decide; and holds several judges' decisions against each other.
import {
  canonicalJson,
  type OutputContext,
  type RowData,
  type Rows,
  readRows,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import { inOrder } from "../assistant/in-order.ts";
import { type Decided, decide, metricsOf, positions } from "../compare/duel.ts";
import { kappa, mean, winOf } from "../compare/statistics.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { type Judge, openJudge } from "../judge/index.ts";
import type { Side } from "../judge/pairs.ts";
import { type GivenVerdictParams, verdictsOf } from "../judge/verdict-params.ts";

interface Params extends GivenVerdictParams {
  readonly reference?: string;
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: number;
}

export const winRate: StageRun<Params> = {
  async run(ctx) {
    const judge = await openJudge(ctx.inputs.judge![0]!, ctx, verdictsOf(ctx.params));
    try {
      return await decideAll(ctx, judge);
    } finally {
      await judge.dispose?.();
    }
  },
};

async function decideAll(ctx: OutputContext<Params>, judge: Judge) {
  const { params, inputs, journal } = ctx;
  const frozen = await byPrompt(inputs.baseline![0]!.dir);
  const asked = await byPrompt(inputs.responses![0]!.dir);
  const both = [...asked].filter(([prompt]) => frozen.has(prompt));
  if (both.length === 0)
    throw new TaskError({
      code: "no-rows",
      message: `no prompt of ${inputs.responses![0]!.node} is in ${inputs.baseline![0]!.node}`,
      help: "both must have answered the same prompts, letter by letter",
    });
  const decided: Decided[] = [];

  async function* rows(): Rows {
    const work = ([prompt, { row, text }]: (typeof both)[number]) => {
      const reference = referenceIn(row, params.reference);
      const baseline = frozen.get(prompt)!.text;
      const duel = { prompt: row.prompt!, row, response: text, baseline, ...reference };
      return decide(judge, journal, duel).then((outcome) => ({ duel, outcome }));
    };
    for await (const { duel, outcome } of inOrder(both, judge.concurrency ?? 1, work)) {
      decided.push({ outcomes: [outcome], lengths: [[duel.response.length, duel.baseline.length]] });
      ctx.progress({ done: decided.length, total: both.length, unit: "prompts" });
      const { prompt, response, baseline } = duel;
      yield { prompt, response, baseline, points: outcome.points, orders: outcome.orders ?? null };
    }
  }

  await writeRows(ctx.out, rows());
  const unmatched = asked.size + frozen.size - 2 * both.length;
  const metrics = { ...metricsOf(decided, params), prompts: both.length, unmatched };
  return { metrics, summary: summaryOf(metrics, params.confidence) };
}

function referenceIn(row: RowData, column: string | undefined): { reference?: string } {
  const reference = column === undefined ? undefined : row[column];
  return typeof reference === "string" ? { reference } : {};
}

/** The first response to each prompt. */
async function byPrompt(dir: string): Promise<Map<string, { readonly row: RowData; readonly text: string }>> {
  const found = new Map<string, { row: RowData; text: string }>();
  let number = 0;
  for await (const row of readRows(dir)) {
    number++;
    const [text] = listIn(row, "responses", number);
    if (typeof text !== "string") throw wrongColumn(row, "responses", number, "a list with a text");
    const prompt = canonicalJson(row.prompt!);
    if (!found.has(prompt)) found.set(prompt, { row, text });
  }
  return found;
}

function summaryOf(m: Readonly<Record<string, number>>, confidence: number): string {
  const percent = (x: number | undefined) => (x === undefined ? "–" : `${(100 * x).toFixed(1)}%`);
  const level = `${Math.round(100 * confidence)}%`;
  const lines: [string, string][] = [
    [
      "win rate",
      `${percent(m.win_rate)} [${percent(m.win_rate_low)}, ${percent(m.win_rate_high)}] (bootstrap, ${level})`,
    ],
    ["", `[${percent(m.wilson_low)}, ${percent(m.wilson_high)}] (Wilson)`],
    ["with length controlled", percent(m.length_controlled_win_rate)],
    ["by the longest text", percent(m.longest_win_rate)],
    ["the longer preferred", percent(m.prefers_longer)],
    ["same in both orders", percent(m.position_consistency)],
    ["the first preferred", percent(m.prefers_first)],
    ["prompts", `${m.prompts}${m.malformed ? `, ${m.malformed} without a verdict` : ""}`],
  ];
  return `${lines.map(([name, value]) => `${name.padEnd(24)}${value}`).join("\n")}\n`;
}

type Verdict = "won" | "tie" | "lost";

interface Judged {
  readonly name: string;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly orders: readonly (readonly [Side, Side])[];
}

export const judgeReport: StageRun<object> = {
  async run(ctx) {
    const judges: Judged[] = [];
    const longest = new Map<string, Verdict>();
    for (const { dir, node } of ctx.inputs.judgments!) judges.push(await judgedIn(dir, node, longest));
    const common = [...longest.keys()].filter((duel) => judges.every(({ verdicts }) => verdicts.has(duel)));
    if (common.length === 0)
      throw new TaskError({ code: "no-rows", message: "there is no duel that all of them have decided" });
    const said = (verdicts: ReadonlyMap<string, Verdict>) => common.map((duel) => verdicts.get(duel)!);
    const same = (a: readonly Verdict[], b: readonly Verdict[]) => mean(a.map((v, i) => Number(v === b[i])));

    const pairs = judges.flatMap((a, i) =>
      judges.slice(i + 1).map((b) => {
        const [x, y] = [said(a.verdicts), said(b.verdicts)];
        return { names: `${a.name} and ${b.name}`, agreement: same(x, y), kappa: kappa(x, y) };
      }),
    );
    const each = judges.map(({ name, verdicts, orders }) => ({
      name,
      longest: same(said(verdicts), said(longest)),
      ...positions(orders),
    }));
    const known = (values: readonly (number | undefined)[]) =>
      values.filter((v): v is number => v !== undefined);
    const consistency = known(each.map((judge) => judge.position_consistency));
    const first = known(each.map((judge) => judge.prefers_first));
    const percent = (x: number | undefined) => (x === undefined ? "–" : `${(100 * x).toFixed(1)}%`);
    const lines = [
      ...pairs.map(
        ({ names, agreement, kappa }) => `${names}: ${percent(agreement)} alike, kappa ${kappa.toFixed(3)}`,
      ),
      ...each.map(
        (judge) =>
          `${judge.name}: same in both orders ${percent(judge.position_consistency)}, the first preferred ${percent(judge.prefers_first)}, as the longest ${percent(judge.longest)}`,
      ),
      `${common.length} duels that all have decided`,
    ];
    return {
      metrics: {
        ...(pairs.length > 0 && {
          agreement: mean(pairs.map(({ agreement }) => agreement)),
          kappa: mean(pairs.map(({ kappa }) => kappa)),
        }),
        longest_agreement: mean(each.map(({ longest }) => longest)),
        ...(consistency.length > 0 && { position_consistency: mean(consistency) }),
        ...(first.length > 0 && { prefers_first: mean(first) }),
        duels: common.length,
      },
      summary: `${lines.join("\n")}\n`,
    };
  },
};

async function judgedIn(dir: string, name: string, longest: Map<string, Verdict>): Promise<Judged> {
  const verdicts = new Map<string, Verdict>();
  const orders: (readonly [Side, Side])[] = [];
  for await (const { prompt, response, baseline, points, orders: given } of readRows(dir)) {
    const duel = canonicalJson([prompt ?? null, response ?? null, baseline ?? null]);
    longest.set(duel, verdictOf(winOf(String(response).length, String(baseline).length)));
    if (Array.isArray(given)) orders.push(given as unknown as [Side, Side]);
    if (typeof points === "number") verdicts.set(duel, verdictOf(points));
  }
  return { name, verdicts, orders };
}

const verdictOf = (points: number): Verdict => (points > 0.5 ? "won" : points < 0.5 ? "lost" : "tie");
