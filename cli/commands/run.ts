// `align run FILE`: the plan, performed; progress on stderr, results on stdout.
import { totalmem } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type Event,
  estimatePlan,
  type Outcome,
  type PlannedArtifact,
  processSpawn,
  run as runPlan,
} from "../../engine/index.ts";
import { keepStanding } from "../../engine/standing.ts";
import { library } from "../../stdlib/index.ts";
import { writeCard } from "../card.ts";
import { tooLarge } from "../estimates.ts";
import { badFile, openPlan, type PipelineOptions } from "../pipeline.ts";
import { createDisplay, silent } from "../ui/display.ts";
import { failureText } from "../ui/failure-text.ts";
import { printOutcome, statusOf } from "../ui/outcome.ts";
import { paint } from "../ui/terminal.ts";
import { askedFor } from "../unchanged.ts";
import { printPlan } from "./plan.ts";
import { rehearse } from "./rehearse.ts";

export interface RunOptions extends PipelineOptions {
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly retries?: number;
  readonly timeout?: number;
  readonly dryRun?: boolean;
  readonly rehearse?: boolean;
  readonly json?: boolean;
}

export async function run(file: string, options: RunOptions): Promise<number> {
  if (options.rehearse) return rehearse(file, options);
  const opened = await openPlan(file, options);
  if (typeof opened === "number") return opened;
  const { plan, store, device, witness } = opened;
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
  const artifacts = new Map<string, PlannedArtifact & { readonly key: string }>();
  const published: string[] = [];
  const display = options.json ? silent : await createDisplay();
  const events: Event[] = [];
  let outcome: Outcome = "failed";
  try {
    const spawn = await processSpawn(fileURLToPath(new URL("./worker.js", import.meta.url)));
    for await (const event of runPlan(plan, {
      store,
      spawn,
      keepGoing: options.keepGoing ?? false,
      device,
      memory: { budget: totalmem(), of: (node) => estimates.get(node)?.cost?.memory },
      signal: interrupt.signal,
      finishPublication: async ({ node, params }, to, made) => {
        const manifest = await store.manifest(made.get(node)!.tree);
        for (const { path } of manifest ?? []) published.push(join(to, path));
        if (params.card === true) published.push(await writeCard(to, node, plan, made));
      },
      ...(options.jobs ? { jobs: options.jobs } : {}),
      ...(options.retries === undefined ? {} : { retries: options.retries }),
      ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
    })) {
      if (options.json) console.log(JSON.stringify(event));
      display.handle(event);
      if (event.type === "task-finished" || event.type === "task-cached") artifacts.set(event.node, event);
      if (event.type !== "task-progress") events.push(event);
      if (event.type === "run-finished") {
        outcome = event.outcome;
        const asked = askedFor(file, options);
        const isWhole = outcome === "done" || outcome === "expectation-failed";
        const ended = { plan, artifacts, events, outcome, published, witness };
        if (isWhole && asked !== undefined) await keepStanding(store, asked, ended);
      }
    }
  } finally {
    display.end();
    interrupt.release();
  }
  printOutcome(events, options.json ?? false);
  return statusOf[outcome];
}

/** First Ctrl-C: stop in good order. Second: stop now. */
export function onInterrupt(): { signal: AbortSignal; release(): void } {
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
