// The run as plain lines, for pipes, logs and CI: one when something starts or ends, and now and then between.
import type { Event } from "../../engine/index.ts";
import { duration, metric } from "./format.ts";
import { RunView } from "./run-view.ts";

/** Seconds between two progress lines of one task. */
const quiet = 10;

export class PlainLines {
  readonly #view = new RunView();
  readonly #lastLine = new Map<string, number>();

  /** The lines that an event is worth, most often none. */
  handle(event: Event): string[] {
    this.#view.handle(event);
    const at = Date.parse(event.at);
    switch (event.type) {
      case "run-started":
        return [`${event.pipeline}: run ${event.run}, store ${event.store}`];
      case "task-cached":
        return [`${event.node}: cached`];
      case "task-started":
        this.#lastLine.set(event.node, at);
        return [`${event.node}: started (${event.reason})`];
      case "task-waiting":
        return [`${event.node}: waits, another run (${event.holder}) builds it`];
      case "task-silent":
        return [`${event.node}: no sign of life for ${duration(event.seconds)}`];
      case "task-retried":
        return [`${event.node}: ${event.error.message}; tried again${after(event.seconds)}`];
      case "task-warned":
        return [`${event.node}: warning: ${event.warning.message}`];
      case "task-progress": {
        if (at - (this.#lastLine.get(event.node) ?? 0) < quiet * 1000) return [];
        this.#lastLine.set(event.node, at);
        const eta = this.#view.eta(this.#view.tasks.get(event.node)!, at);
        const tail = eta === undefined ? "" : `, ETA ${duration(eta)}`;
        return [
          `${event.node}: ${event.done}/${event.total} ${event.unit}${list(event.metrics ?? {})}${tail}`,
        ];
      }
      case "task-finished":
        return [`${event.node}: done in ${duration(event.seconds)}${list(event.metrics)}`];
      case "task-skipped":
        return [
          `${event.node}: skipped, ${event.because === undefined ? "interrupted" : `it needs ${event.because}`}`,
        ];
      case "artifact-damaged":
        return [`${event.node}: its artifact was damaged and is built again (${event.damage})`];
      default:
        return [];
    }
  }
}

function after(seconds: number): string {
  return seconds === 0 ? "" : ` in ${duration(seconds)}`;
}

function list(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `, ${name} ${metric(value)}`)
    .join("");
}
