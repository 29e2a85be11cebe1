// `align report FILE`: the last run as one self-contained HTML page.
import { writeFile } from "node:fs/promises";
import { readEvents, runsOf } from "../../engine/index.ts";
import { badFile, openPlan, type PipelineOptions } from "../pipeline.ts";
import { curvesOf } from "../report/curves.ts";
import { page } from "../report/page.ts";
import { stageReport } from "../report/stage.ts";
import { runCommand } from "../run-command.ts";
import { failureText } from "../ui/failure-text.ts";

export interface ReportOptions extends PipelineOptions {
  readonly output?: string;
  readonly samples: number;
}

/** Rows of a stage that is a table: it is there to be read as a whole. */
const wholeTable = 1_000;

export async function report(file: string, options: ReportOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const { plan, store } = opened;
  const run = runsOf(store, plan.pipeline).at(-1);
  if (run === undefined) {
    const message = `${plan.pipeline} has not been run with this store`;
    console.error(failureText({ code: "not-run", message, help: runCommand(file, options) }));
    return badFile;
  }
  const stages = [];
  for (const task of plan.tasks) {
    const isTable = ["report", "frontier"].includes(task.calls.at(-1)?.op ?? "");
    stages.push(await stageReport(task, plan, store, isTable ? wholeTable : options.samples));
  }
  const keys = new Set(plan.tasks.flatMap(({ key, artifact }) => (key && artifact ? [key] : [])));
  const curves = curvesOf(store, plan.pipeline, keys);
  const to = options.output ?? `${plan.pipeline}.html`;
  await writeFile(to, page({ plan, events: readEvents(store, run), stages, curves }));
  console.log(to);
  return 0;
}
