// What follows when every task is done: expectations are checked, and if they hold, artifacts are published.
import { dirname, resolve } from "node:path";
import { evaluateExpectation, type Publication } from "../../grammar/index.ts";
import type { EventBody } from "../events.ts";
import { metricsIn } from "../plan/graph.ts";
import type { Plan, PlannedArtifact } from "../plan/plan.ts";
import { problemOf } from "../problem.ts";
import type { Store } from "../store/store.ts";
import { TaskError } from "../task.ts";

/** True when every expectation holds. */
export function checkExpectations(
  plan: Plan,
  artifacts: ReadonlyMap<string, PlannedArtifact>,
  emit: (event: EventBody) => void,
): boolean {
  const metrics = Object.fromEntries([...artifacts].map(([node, artifact]) => [node, artifact.metrics]));
  let allHold = true;
  for (const { expr, message } of plan.expectations) {
    const { holds, explanation, problem } = evaluateExpectation(expr, metrics);
    allHold &&= holds;
    emit({
      type: "expectation",
      text: expr.text,
      holds,
      ...(message === undefined ? {} : { message }),
      ...(problem === undefined ? {} : { problem }),
      explanation,
      values: metricsIn(expr).map(({ node, name, text }) => ({ text, value: metrics[node]?.[name] })),
    });
  }
  return allHold;
}

/** Adds to a published folder what its parameters ask for: a model card, another format. `artifacts` is everything the run made or found. */
export type Finish = (
  publication: Publication,
  to: string,
  artifacts: ReadonlyMap<string, PlannedArtifact>,
) => Promise<void>;

/** False when one could not be written. */
export async function publishAll(
  plan: Plan,
  artifacts: ReadonlyMap<string, PlannedArtifact>,
  options: {
    readonly store: Store;
    readonly root?: string;
    readonly finish?: Finish;
    readonly expectationsHold: boolean;
  },
  emit: (event: EventBody) => void,
): Promise<boolean> {
  let ok = true;
  for (const publication of plan.publications) {
    const { node } = publication;
    const to = resolve(options.root ?? dirname(plan.path), publication.to);
    if (!options.expectationsHold) {
      const error = {
        code: "expectation-failed",
        message: `${node} is not published: an expectation does not hold`,
      };
      emit({ type: "publish-withheld", node, to, error });
      continue;
    }
    try {
      const wrote = await options.store.publish(artifacts.get(node)!.tree, to);
      await options.finish?.(publication, to, artifacts);
      emit({ type: "published", node, to, wrote });
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      ok = false;
      emit({ type: "publish-withheld", node, to, error: problemOf(error) });
    }
  }
  return ok;
}
