// Estimates the tasks of a plan in order, each from what is known of the tasks before it.
import type { Estimate, Facts, Known } from "../estimate.ts";
import type { Operation } from "../operation.ts";
import type { Store } from "../store/store.ts";
import type { Plan, PlanTask } from "./plan.ts";

/** What the machine does per second. */
export interface Rates {
  /** Floating point operations. */
  readonly flops: number;
  /** Bytes read from memory. */
  readonly bandwidth: number;
}

/** By task, for those that have to run and whose operations can tell something. */
export async function estimatePlan(
  plan: Plan,
  options: { readonly operations: ReadonlyMap<string, Operation>; readonly store: Store },
): Promise<ReadonlyMap<string, Estimate>> {
  const known = new Map<string, Known>();
  const estimates = new Map<string, Estimate>();
  for (const task of plan.tasks) {
    const estimate = task.artifact ? {} : await estimateOf(task, known, options.operations);
    if (!task.artifact && (estimate.cost || estimate.note !== undefined)) estimates.set(task.id, estimate);
    known.set(task.id, knownOf(task, estimate.facts ?? {}, options.store));
  }
  return estimates;
}

/** Of a dataset the last transform speaks; the others tell it what comes in. */
async function estimateOf(
  task: PlanTask,
  known: ReadonlyMap<string, Known>,
  operations: ReadonlyMap<string, Operation>,
): Promise<Estimate> {
  const from = task.from === undefined ? undefined : known.get(task.from);
  let estimate: Estimate = from ? { facts: rowsOf(from) } : {};
  for (const call of task.calls) {
    const run = await operations.get(call.op)!.estimate?.();
    if (!run) {
      // Whatever it does to rows, it is not known to make more of them.
      estimate = task.kind === "dataset" ? { facts: estimate.facts ?? {} } : {};
      continue;
    }
    const inputs = Object.entries(call.inputs).map(
      ([name, nodes]) => [name, nodes.map((node) => known.get(node)!)] as const,
    );
    const files = Object.entries(call.files).map(
      ([name, planned]) => [name, planned.map(({ path }) => path)] as const,
    );
    try {
      estimate = await run({
        params: call.params as never,
        inputs: Object.fromEntries(inputs),
        files: Object.fromEntries(files),
        before: estimate.facts ?? {},
      });
    } catch (error) {
      // What is wrong with a file or a model is for the run to say, in full.
      estimate = { note: error instanceof Error ? error.message.split("\n")[0]! : String(error) };
    }
  }
  return estimate;
}

function knownOf(task: PlanTask, facts: Facts, store: Store): Known {
  const { artifact } = task;
  return {
    node: task.id,
    facts,
    metrics: artifact?.metrics ?? {},
    async open() {
      if (!artifact) return undefined;
      const laid = await store.materialise(artifact.tree);
      return "dir" in laid ? laid.dir : undefined;
    },
  };
}

/** A dataset that exists has counted its rows. */
function rowsOf({ facts, metrics }: Known): Facts {
  return metrics.rows === undefined ? facts : { ...facts, rows: metrics.rows };
}

/** Seconds: whichever of arithmetic and memory takes longer. */
export function secondsOf({ cost }: Estimate, rates: Rates): number | undefined {
  if (cost?.flops === undefined) return undefined;
  return Math.max(cost.flops / rates.flops, (cost.traffic ?? 0) / rates.bandwidth);
}
