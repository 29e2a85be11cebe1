// The curves of a stage, from the journals of the runs that made it: what training reported step by step.
import { type Event, readEvents, runsOf, type Store } from "../../engine/index.ts";
import type { Plot, Point } from "./plot.ts";

/** What a stage reported while it ran, by metric. */
interface Reported {
  unit: string;
  readonly metrics: Map<string, Map<number, number>>;
  /** A run has been found that began it, not only went on with it. */
  begun: boolean;
}

/** By key. A stage that was interrupted has its curve from all the runs that worked at it; where they overlap, the last one counts. */
export function curvesOf(store: Store, pipeline: string, keys: ReadonlySet<string>): Map<string, Plot[]> {
  const found = new Map<string, Reported>();
  for (const run of runsOf(store, pipeline).reverse()) {
    if ([...keys].every((key) => found.get(key)?.begun)) break;
    collect(readEvents(store, run), keys, found);
  }
  return new Map([...found].map(([key, reported]) => [key, plotsOf(reported)]));
}

function collect(events: readonly Event[], keys: ReadonlySet<string>, found: Map<string, Reported>): void {
  const keyOf = new Map<string, string>();
  const complete = new Set([...found].filter(([, { begun }]) => begun).map(([key]) => key));
  for (const event of events) {
    if (event.type === "task-started") keyOf.set(event.node, event.key);
    if (event.type !== "task-progress" || !event.metrics) continue;
    const key = keyOf.get(event.node);
    if (key === undefined || !keys.has(key) || complete.has(key)) continue;
    const reported = found.get(key) ?? { unit: event.unit, metrics: new Map(), begun: false };
    found.set(key, reported);
    if (event.done <= 1) reported.begun = true;
    for (const [name, value] of Object.entries(event.metrics)) {
      const points = reported.metrics.get(name) ?? new Map<number, number>();
      reported.metrics.set(name, points);
      if (!points.has(event.done) && Number.isFinite(value)) points.set(event.done, value);
    }
  }
}

/** `eval_loss` is drawn with `loss`, `chosen_reward` with `rejected_reward`. */
const together = /^(eval|chosen|rejected)_/;
/** How the training went, before how it was driven and how long it took. */
const last = ["learning_rate", "grad_norm", "rollout_seconds", "scoring_seconds", "update_seconds"];

function plotsOf({ unit, metrics }: Reported): Plot[] {
  const plots = new Map<string, { name: string; points: Point[] }[]>();
  for (const [name, values] of metrics) {
    const points = [...values].sort(([a], [b]) => a - b);
    if (points.length < 2 || isCounter(points)) continue;
    const title = name.replace(together, "");
    plots.set(title, [...(plots.get(title) ?? []), { name, points }]);
  }
  const rank = (title: string) => (last.includes(title) ? 1 : 0);
  return [...plots]
    .sort(([a], [b]) => rank(a) - rank(b))
    .map(([title, series]) => ({ title: series.length === 1 ? series[0]!.name : title, unit, series }));
}

/** Tokens so far: it only grows, and says nothing that the steps do not. */
function isCounter(points: readonly Point[]): boolean {
  return points.every(([, y], i) => Number.isInteger(y) && (i === 0 || y > points[i - 1]![1]));
}
