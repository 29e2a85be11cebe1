// Curates: clean → score → length → person → references → ending → near duplicates → draw; every row left out with its reason.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type OutputContext,
  type RowData,
  type RunResult,
  readColumns,
  readRows,
  type StageRun,
  writeRows,
} from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { mean } from "../compare/statistics.ts";
import { textIn, wrongColumn } from "../data/row-text.ts";
import { endsWhole, pointsElsewhere, speaksOfItself, withoutHtml } from "./checks.ts";
import { nearDuplicates } from "./minhash.ts";
import { stratified } from "./stratify.ts";
import { type Dropped, reasons, summaryOf } from "./summary.ts";

export interface CurateParams {
  readonly min_score?: number;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly first_person: boolean;
  readonly references: boolean;
  readonly strip_html: boolean;
  readonly whole_sentences: boolean;
  readonly near_duplicates: number;
  readonly strata?: string;
  readonly sample?: number;
  readonly temperature: number;
  readonly seed: number;
}

export const curate: StageRun<CurateParams> = { run };

async function run(ctx: OutputContext<CurateParams>): Promise<RunResult> {
  const { params } = ctx;
  const { dir } = ctx.inputs.data![0]!;
  const { rows: total } = await readColumns(dir);
  const isNear = nearDuplicates(params.near_duplicates);
  const kept: RowData[] = [];
  const dropped: Dropped[] = [];
  let number = 0;
  for await (const given of readRows(dir)) {
    number++;
    const written = textIn(given, "completion", number);
    const completion = params.strip_html ? withoutHtml(written) : written;
    const row = completion === written ? given : { ...given, completion };
    const prompt = textIn(row, "prompt", number);
    const reason =
      reasonAgainst(row, completion, number, params) ??
      (isNear(`${prompt} ${completion}`) ? "duplicates" : undefined);
    if (reason) dropped.push({ reason, row });
    else kept.push(row);
    ctx.progress({ done: number, total, unit: "rows" });
  }
  const chosen = params.sample === undefined ? [...kept.keys()] : sampled(kept, params.sample, params);
  const taken = new Set(chosen);
  for (const [at, row] of kept.entries()) if (!taken.has(at)) dropped.push({ reason: "sample", row });
  const rows = chosen.map((at) => kept[at]!);
  await writeRows(ctx.out, rows);
  const lines = dropped.map(({ reason, row }) => `${JSON.stringify({ reason, ...row })}\n`);
  await writeFile(join(ctx.out, "dropped.jsonl"), lines.join(""));

  const metrics = {
    rows: rows.length,
    dropped: dropped.length,
    ...Object.fromEntries(
      Object.keys(reasons).map((reason) => [
        `dropped_${reason}`,
        dropped.filter((d) => d.reason === reason).length,
      ]),
    ),
    mean_length: rows.length === 0 ? 0 : mean(rows.map(({ completion }) => lengthOf(completion as string))),
  };
  return { metrics, summary: summaryOf(number, dropped, rows, params.strata) };
}

const lengthOf = (text: string) => [...text.trim()].length;

function reasonAgainst(
  row: RowData,
  completion: string,
  number: number,
  params: CurateParams,
): Dropped["reason"] | undefined {
  const { min_score, min_length = 0, max_length = Number.POSITIVE_INFINITY } = params;
  if (min_score !== undefined) {
    if (typeof row.score !== "number") throw wrongColumn(row, "score", number, "a number");
    if (row.score < min_score) return "score";
  }
  const length = lengthOf(completion);
  if (length < min_length || length > max_length) return "length";
  if (!params.first_person && speaksOfItself(completion)) return "first_person";
  if (!params.references && pointsElsewhere(completion)) return "references";
  if (params.whole_sentences && !endsWhole(completion)) return "ending";
  return undefined;
}

function sampled(
  rows: readonly RowData[],
  count: number,
  { strata, temperature, seed }: CurateParams,
): number[] {
  const score = (at: number) => (typeof rows[at]!.score === "number" ? (rows[at]!.score as number) : 0);
  return stratified(
    rows.map((row) => (strata === undefined ? "" : JSON.stringify(row[strata] ?? null))),
    count,
    { temperature, random: stream(seed).split("curate"), rank: (a, b) => score(b) - score(a) },
  );
}
