// Runs questions of several turns: answer, answer again with what was said, rate each turn, take the means by category.
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
import type { Json } from "../../grammar/index.ts";
import { stream } from "../../tensor/index.ts";
import type { Message } from "../../tensor/io/index.ts";
import { type Assistant, isAssistant, openAssistant } from "../assistant/assistant.ts";
import { inOrder } from "../assistant/in-order.ts";
import { openLocal } from "../assistant/local.ts";
import { mean } from "../compare/statistics.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { type Judge, openJudge } from "../judge/index.ts";
import { type GivenVerdictParams, verdictsOf } from "../judge/verdict-params.ts";
import { categories } from "./index.ts";

export interface MtBenchParams extends GivenVerdictParams {
  readonly max_new_tokens: number;
  readonly temperature?: number;
  readonly seed: number;
}

interface Answered {
  readonly category: string;
  readonly turns: readonly string[];
  readonly answers: readonly string[];
  /** Null where the verdict could not be read. */
  readonly scores: readonly (number | null)[];
}

export const mtBench: StageRun<MtBenchParams> = {
  async run(ctx) {
    const model = ctx.inputs.model![0]!;
    const assistant = isAssistant(model.dir) ? await openAssistant(model, ctx) : await openLocal(model, ctx);
    const judge = await openJudge(ctx.inputs.judge![0]!, ctx, verdictsOf(ctx.params));
    const { dir, node } = ctx.inputs.questions![0]!;
    const { rows: total } = await readColumns(dir);
    const done: Answered[] = [];
    async function* rows(): Rows {
      const work = (row: RowData, i: number) => ask(ctx, assistant, judge, row, i + 1);
      for await (const answered of inOrder(readRows(dir), assistant.concurrency, work)) {
        done.push(answered);
        ctx.progress({ done: done.length, total, unit: "questions" });
        yield { ...answered };
      }
    }
    try {
      await writeRows(ctx.out, rows());
    } finally {
      await assistant.dispose();
      await judge.dispose?.();
    }
    const metrics = metricsOf(done, node);
    return { metrics, summary: summaryOf(done, metrics) };
  },
};

async function ask(
  { params, journal }: OutputContext<MtBenchParams>,
  assistant: Assistant,
  judge: Judge,
  row: RowData,
  number: number,
): Promise<Answered> {
  const turns = listIn(row, "turns", number).map((turn) => {
    if (typeof turn === "string") return turn;
    throw wrongColumn(row, "turns", number, "a list of texts");
  });
  const references = Array.isArray(row.references) ? (row.references as readonly Json[]) : [];
  const category = String(row.category ?? "");
  const random = stream(params.seed).split("mt_bench").split(JSON.stringify(turns));
  const said: Message[] = [];
  const answers: string[] = [];
  const scores: (number | null)[] = [];
  for (const [t, content] of turns.entries()) {
    said.push({ role: "user", content });
    const { text } = await assistant.ask({
      id: ["turn", t],
      messages: [...said],
      sampling: {
        temperature: params.temperature ?? categories[category] ?? 0,
        max_tokens: params.max_new_tokens,
        seed: random.split(t).int(2 ** 31),
      },
    });
    const prompt = said.map((message) => ({ ...message }));
    const reference = references[t];
    const request = { prompt, response: text, row, ...(typeof reference === "string" && { reference }) };
    const verdict = judge.rate
      ? await judge.rate(request)
      : await once(journal, ["rate", prompt, text], async () => ({ ...(await judge.score(request)) }));
    scores.push("malformed" in verdict ? null : verdict.score);
    answers.push(text);
    said.push({ role: "assistant", content: text });
  }
  return { category, turns, answers, scores };
}

function metricsOf(rows: readonly Answered[], node: string): Record<string, number> {
  const read = (rows: readonly Answered[], turn?: number) =>
    rows
      .flatMap(({ scores }) => (turn === undefined ? scores : scores.slice(turn, turn + 1)))
      .filter((score): score is number => score !== null);
  const all = read(rows);
  if (all.length === 0)
    throw new TaskError({
      code: "no-rows",
      message: rows.length === 0 ? `${node} has no questions` : "no verdict could be read",
    });
  const means: Record<string, readonly number[]> = {
    score: all,
    turn_1: read(rows, 0),
    turn_2: read(rows, 1),
  };
  for (const name of Object.keys(categories)) means[name] = read(rows.filter((row) => row.category === name));
  const known = Object.entries(means).filter(([, values]) => values.length > 0);
  return {
    ...Object.fromEntries(known.map(([name, values]) => [name, mean(values)])),
    questions: rows.length,
    malformed: rows.flatMap(({ scores }) => scores).filter((score) => score === null).length,
  };
}

function summaryOf(rows: readonly Answered[], metrics: Readonly<Record<string, number>>): string {
  const names = [...new Set(rows.map(({ category }) => category))].sort();
  const means = names.map((name) => {
    const scores = rows.filter((row) => row.category === name).flatMap((row) => row.scores);
    const read = scores.filter((score): score is number => score !== null);
    return [name || "–", read.length > 0 ? mean(read).toFixed(2) : "–"] as const;
  });
  const turns = (["turn_1", "turn_2", "score"] as const).flatMap((name) =>
    metrics[name] === undefined ? [] : [[name, metrics[name].toFixed(2)] as const],
  );
  return `${[...means, ...turns].map(([name, value]) => `${name.padEnd(16)}${value.padStart(6)}`).join("\n")}\n`;
}
