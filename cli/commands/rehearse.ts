// `align run FILE --rehearse`: every stage, really run, on a sliver of the data with small models; says what would fail, and what the run will take.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  createPlan,
  type Event,
  openStore,
  type PlanTask,
  processSpawn,
  rehearsalOf,
  run,
} from "../../engine/index.ts";
import { library } from "../../stdlib/index.ts";
import { type Estimates, estimateLine, estimatesOf, totalLine } from "../estimates.ts";
import { badFile, type Opened, openPlan } from "../pipeline.ts";
import { createDisplay, silent } from "../ui/display.ts";
import { failureText } from "../ui/failure-text.ts";
import { duration } from "../ui/format.ts";
import { paint } from "../ui/terminal.ts";
import { onInterrupt, type RunOptions } from "./run.ts";

interface Rehearsed {
  readonly node: string;
  readonly outcome: "done" | "failed" | "skipped";
  readonly seconds?: number;
}

export async function rehearse(file: string, options: RunOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const estimates = await estimatesOf(opened);
  const dir = mkdtempSync(join(tmpdir(), "align-rehearsal-"));
  let kept = false;
  try {
    const events = await perform(opened, dir, options);
    if (typeof events === "number") return events;
    const stages = events.flatMap(rehearsed);
    kept = stages.some(({ outcome }) => outcome === "failed");
    if (options.json)
      console.log(JSON.stringify({ type: "rehearsal", stages, estimates: Object.fromEntries(estimates) }));
    tellFailures(events);
    if (!options.json) tell(opened.plan.tasks, stages, estimates);
    if (events.some((event) => event.type === "run-finished" && event.outcome === "interrupted")) return 130;
    return kept ? 1 : 0;
  } finally {
    // The logs of what failed are worth a look.
    if (!kept) rmSync(dir, { recursive: true, force: true });
  }
}

/** In a store of its own; goes on after a failure, to find the others. */
async function perform({ program, plan, device }: Opened, dir: string, options: RunOptions) {
  const store = openStore(dir);
  const planned = await createPlan(rehearsalOf(program, library), {
    operations: library,
    store,
    numerics: plan.numerics,
    ...(options.only === undefined ? {} : { only: options.only }),
  });
  if ("problems" in planned) {
    for (const problem of planned.problems) console.error(failureText(problem));
    return badFile;
  }
  const interrupt = onInterrupt();
  const display = options.json ? silent : await createDisplay();
  const events: Event[] = [];
  try {
    const spawn = await processSpawn(fileURLToPath(new URL("./worker.js", import.meta.url)));
    for await (const event of run(planned.plan, {
      store,
      spawn,
      device,
      rehearsal: true,
      keepGoing: true,
      signal: interrupt.signal,
      ...(options.jobs ? { jobs: options.jobs } : {}),
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
    })) {
      if (options.json) console.log(JSON.stringify(event));
      display.handle(event);
      if (event.type !== "task-progress") events.push(event);
    }
  } finally {
    display.end();
    interrupt.release();
  }
  return events;
}

function rehearsed(event: Event): Rehearsed[] {
  switch (event.type) {
    case "task-finished":
    case "task-cached":
      return [{ node: event.node, outcome: "done", seconds: event.seconds }];
    case "task-failed":
      return [{ node: event.node, outcome: "failed" }];
    case "task-skipped":
      return [{ node: event.node, outcome: "skipped" }];
    default:
      return [];
  }
}

function tellFailures(events: readonly Event[]): void {
  for (const event of events) {
    if (event.type !== "task-failed") continue;
    const { node, error, tail = [], log } = event;
    console.error(`\n${failureText({ ...error, message: `${node}: ${error.message}` })}`);
    if (tail.length > 0) console.error(paint.dim(tail.map((line) => `  | ${line}`).join("\n")));
    if (log) console.error(paint.dim(`  log: ${log}`));
  }
}

/** By stage how the rehearsal went, and what the whole run takes. Expectations are for the whole run. */
function tell(tasks: readonly PlanTask[], stages: readonly Rehearsed[], estimates: Estimates): void {
  const by = new Map(stages.map((stage) => [stage.node, stage]));
  console.log("");
  for (const { id, state } of tasks) {
    const { outcome = "skipped", seconds = 0 } = by.get(id) ?? {};
    const mark = { done: paint.green("✓"), failed: paint.red("✗"), skipped: paint.dim("-") }[outcome];
    const went = outcome === "done" ? `rehearsed in ${duration(seconds)}` : outcome;
    const estimate = estimates.get(id);
    const whole = state === "cached" ? "cached" : estimate ? estimateLine(estimate) : "";
    console.log(`${mark} ${paint.bold(id)}  ${went}${whole ? paint.cyan(`  whole run: ${whole}`) : ""}`);
  }
  const failed = stages.filter(({ outcome }) => outcome === "failed");
  const count = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;
  console.log(
    failed.length === 0
      ? paint.green(`all ${count(stages.length, "stage")} would run`)
      : paint.red(
          `${count(failed.length, "stage")} would fail: ${failed.map(({ node }) => node).join(", ")}`,
        ),
  );
  if (estimates.size > 0) console.log(`the whole run: ${totalLine(estimates)}`);
}
