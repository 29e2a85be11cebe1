// `align run FILE`: the plan, performed; progress on stderr, results on stdout.
import { totalmem } from "node:os";
import { fileURLToPath } from "node:url";
import {
  type Event,
  estimatePlan,
  type PlannedArtifact,
  processSpawn,
  run as runPlan,
} from "../../engine/index.ts";
import { library } from "../../stdlib/index.ts";
import { writeCard } from "../card.ts";
import { tooLarge } from "../estimates.ts";
import { failureText } from "../failure.ts";
import { badFile, openPlan, type PipelineOptions } from "../pipeline.ts";
import { createDisplay, type Display } from "../ui/display.ts";
import { duration, metric } from "../ui/format.ts";
import { paint } from "../ui/terminal.ts";
import { printPlan } from "./plan.ts";

export interface RunOptions extends PipelineOptions {
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly retries?: number;
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

const status = { done: 0, failed: 1, "expectation-failed": 3, interrupted: 130 } as const;

export async function run(file: string, options: RunOptions): Promise<number> {
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const { plan, store, device } = opened;
  if (options.dryRun) {
    if (options.json) console.log(JSON.stringify(plan));
    else printPlan(plan);
    return 0;
  }

  const estimates = await estimatePlan(plan, { operations: library, store });
  const large = tooLarge(plan, estimates);
  if (large) {
    const help =
      "a smaller micro_batch_size, recompute: true, lora or a smaller model need less; align plan shows what each stage needs";
    console.error(
      failureText({ code: large.certain ? "does-not-fit" : "may-not-fit", message: large.message, help }),
    );
    if (large.certain) return badFile;
  }

  const interrupt = onInterrupt();
  const artifacts = new Map<string, PlannedArtifact>();
  const display = options.json ? silent : createDisplay();
  const events: Event[] = [];
  let code = 1;
  try {
    const spawn = await processSpawn(fileURLToPath(new URL("./worker.js", import.meta.url)));
    for await (const event of runPlan(plan, {
      store,
      spawn,
      keepGoing: options.keepGoing ?? false,
      device,
      memory: { budget: totalmem(), of: (node) => estimates.get(node)?.cost?.memory },
      signal: interrupt.signal,
      finishPublication: async ({ node, params }, to) => {
        if (params.card === true) await writeCard(to, node, plan, artifacts);
      },
      ...(options.jobs ? { jobs: options.jobs } : {}),
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
    })) {
      if (options.json) console.log(JSON.stringify(event));
      display.handle(event);
      if (event.type === "task-finished" || event.type === "task-cached") artifacts.set(event.node, event);
      if (event.type !== "task-progress") events.push(event);
      if (event.type === "run-finished") code = status[event.outcome];
    }
  } finally {
    display.end();
    interrupt.release();
  }
  report(events, options.json ?? false);
  return code;
}

const silent: Display = { handle() {}, end() {} };

/** First Ctrl-C: stop in good order. Second: stop now. */
function onInterrupt(): { signal: AbortSignal; release(): void } {
  const controller = new AbortController();
  const handler = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write(paint.yellow("\nstopping; finished stages are kept. Ctrl-C again stops at once.\n"));
    controller.abort();
  };
  process.on("SIGINT", handler);
  process.on("SIGTERM", handler);
  return {
    signal: controller.signal,
    release() {
      process.off("SIGINT", handler);
      process.off("SIGTERM", handler);
    },
  };
}

/** What the run came to. With --json only failures, and those on stderr. */
function report(events: readonly Event[], json: boolean): void {
  for (const event of events) {
    if (event.type === "task-failed") {
      console.error(`\n${failureText({ ...event.error, message: `${event.node}: ${event.error.message}` })}`);
      if (event.tail && event.tail.length > 0)
        console.error(paint.dim(event.tail.map((line) => `  | ${line}`).join("\n")));
      if (event.log) console.error(paint.dim(`  log: ${event.log}`));
    }
    if (event.type === "publish-withheld") console.error(failureText(event.error));
  }
  if (json) return;
  const summaries = events.flatMap((event) =>
    (event.type === "task-finished" || event.type === "task-cached") && event.summary ? [event] : [],
  );
  for (const { node, summary } of summaries) console.log(`\n${paint.bold(node)}\n${summary!.trimEnd()}`);
  let first = true;
  for (const event of events) {
    if (event.type === "expectation") {
      if (first) console.log("");
      first = false;
      const values = event.values.map(
        ({ text, value }) => `${text} = ${value === undefined ? "?" : metric(value)}`,
      );
      const mark = event.holds ? paint.green("✓ expect") : paint.red("✗ expect");
      console.log(`${mark} ${event.text}  ${paint.dim(values.join(", "))}`);
      if (!event.holds && event.message) console.log(`  ${paint.red(event.message)}`);
    }
    if (event.type === "published") console.log(`${paint.green("✓")} ${event.node} published to ${event.to}`);
    if (event.type === "run-finished") {
      const counts = [
        `${event.ran} ran`,
        `${event.cached} cached`,
        ...(event.failed > 0 ? [`${event.failed} failed`] : []),
        ...(event.skipped > 0 ? [`${event.skipped} skipped`] : []),
      ];
      console.error(
        paint.dim(`${event.outcome.replace("-", " ")}: ${counts.join(", ")} in ${duration(event.seconds)}`),
      );
    }
  }
}
