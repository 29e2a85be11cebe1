// Whether a command wrote what it was declared to write; the artifact is made of that.
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  columnTypeOf,
  type RowData,
  type RunResult,
  readJsonl,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import { misfits, type Row, rows } from "../../grammar/index.ts";
import { checkModel } from "../training/check-model.ts";
import type { Output } from "./index.ts";

/** Where the command writes, in the folder of the artifact. */
export function placeOf(output: Output, out: string): string {
  if (output === "Model" || output === "Files") return out;
  return join(out, output === "Metrics" ? "written.json" : "written.jsonl");
}

export async function checkOutput(
  output: Output,
  out: string,
  wanted: readonly string[],
): Promise<RunResult> {
  const place = placeOf(output, out);
  switch (output) {
    case "Model":
      await refuseNothing(place);
      return { metrics: { parameters: await checkModel(place) } };
    case "Files":
      await refuseNothing(place);
      return {};
    case "Metrics": {
      const metrics = await readMetrics(place, wanted);
      await rm(place);
      return { metrics };
    }
    default: {
      const row = output === "Rows" ? { columns: {} } : rows[output];
      await refuseNothing(place);
      const written = await writeRows(out, checkedRows(place, row));
      await rm(place);
      if (written.rows === 0) throw noOutput("the command wrote a file without rows");
      return { metrics: { rows: written.rows } };
    }
  }
}

async function refuseNothing(place: string): Promise<void> {
  const found = await stat(place).catch(() => undefined);
  if (!found) throw noOutput("the command wrote nothing to {out}");
  const empty = found.isDirectory() ? (await readdir(place)).length === 0 : found.size === 0;
  if (empty) throw noOutput(`the command left {out} empty`);
}

function noOutput(message: string): TaskError {
  return new TaskError({
    code: "no-output",
    message,
    help: "it ended well, so look at which path it writes to; `output` says what is expected there",
  });
}

async function* checkedRows(place: string, wanted: Row): AsyncIterable<RowData> {
  let number = 0;
  for await (const row of readJsonl(place)) {
    number++;
    const columns = Object.entries(row).map(([name, value]) => [name, columnTypeOf(value)] as const);
    const [wrong] = misfits({ columns: Object.fromEntries(columns) }, wanted);
    if (wrong) {
      const what = wrong.given
        ? `has a value of type ${wrong.given} in ${wrong.column}, not ${wrong.wanted}`
        : `has no column ${wrong.column}`;
      throw new TaskError({
        code: "wrong-row",
        message: `row ${number} of the output ${what}`,
        help: `output: ${wanted.name} promises the columns ${Object.keys(wanted.columns).join(", ")}`,
      });
    }
    yield row;
  }
}

async function readMetrics(place: string, wanted: readonly string[]): Promise<Record<string, number>> {
  await refuseNothing(place);
  let value: unknown;
  try {
    value = JSON.parse(await readFile(place, "utf8"));
  } catch (error) {
    throw notMetrics((error as Error).message);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw notMetrics("it is no object");
  const metrics = value as Record<string, unknown>;
  for (const [name, number] of Object.entries(metrics)) {
    if (typeof number !== "number") throw notMetrics(`${name} is ${JSON.stringify(number)}, not a number`);
  }
  const missing = wanted.filter((name) => !(name in metrics));
  if (missing.length > 0) throw notMetrics(`${missing.join(", ")} is missing`);
  return metrics as Record<string, number>;
}

function notMetrics(why: string): TaskError {
  return new TaskError({
    code: "not-metrics",
    message: `the command did not write metrics: ${why}`,
    help: 'output: Metrics is a JSON file such as {"accuracy": 0.9}',
  });
}
