// `align explain FILE STAGE`: why a stage is cached or will run, down to the value that changed.
import { type Cause, explain as explainPlan, loadHistory } from "../../engine/index.ts";
import { badFile, openPlan, type PipelineOptions } from "../pipeline.ts";
import { findStage } from "../stage.ts";
import { paint } from "../ui/terminal.ts";

export interface ExplainOptions extends PipelineOptions {
  readonly json?: boolean;
}

export async function explain(file: string, stage: string, options: ExplainOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const { plan, store } = opened;
  if (!findStage(plan, stage, file)) return badFile;
  const explanation = explainPlan(plan, stage, loadHistory(store, plan.pipeline))!;
  if (options.json) {
    console.log(JSON.stringify(explanation, null, 2));
    return 0;
  }
  const mark = explanation.state === "cached" ? paint.green("✓") : paint.yellow("●");
  console.log(`${mark} ${paint.bold(stage)}: ${explanation.headline}`);
  printCauses(explanation.causes, 1);
  return 0;
}

function printCauses(causes: readonly Cause[], depth: number): void {
  for (const { text, because } of causes) {
    console.log(`${"  ".repeat(depth)}${text}`);
    printCauses(because, depth + 1);
  }
}
