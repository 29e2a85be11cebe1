// What is known of a run so far, folded from its events, and how it looks as a screen of lines.
import type { Event } from "../../engine/index.ts";
import { bar } from "./bar.ts";
import { duration, metric } from "./format.ts";
import { paint } from "./terminal.ts";

type Status = "waiting" | "running" | "done" | "cached" | "failed" | "skipped";

interface TaskView {
  readonly node: string;
  readonly ops: string;
  readonly needs: readonly string[];
  status: Status;
  reason: string;
  /** Milliseconds, of the wall clock in the events. */
  startedAt: number;
  /** When the first progress of more than nothing came: compiling before it would spoil the ETA. */
  movingSince: { at: number; done: number } | undefined;
  progress:
    | { done: number; total: number; unit: string; metrics: Readonly<Record<string, number>> }
    | undefined;
  seconds: number;
  metrics: Readonly<Record<string, number>>;
  note: string;
}

export class RunView {
  readonly tasks = new Map<string, TaskView>();
  startedAt = Number.NaN;
  pipeline = "";

  handle(event: Event): void {
    const at = Date.parse(event.at);
    if (event.type === "run-started") {
      this.startedAt = at;
      this.pipeline = event.pipeline;
      return;
    }
    if (event.type === "plan") {
      for (const { node, ops, needs, reason } of event.tasks) {
        this.tasks.set(node, {
          node,
          ops: ops.join(" → "),
          needs,
          status: "waiting",
          reason,
          startedAt: Number.NaN,
          movingSince: undefined,
          progress: undefined,
          seconds: 0,
          metrics: {},
          note: "",
        });
      }
      return;
    }
    const task = "node" in event ? this.tasks.get(event.node) : undefined;
    if (!task) return;
    switch (event.type) {
      case "task-started":
        Object.assign(task, { status: "running", startedAt: at, reason: event.reason, note: "" });
        break;
      case "task-progress": {
        const { done, total, unit, metrics = {} } = event;
        // Another unit is another part of the work, at a pace of its own.
        if (task.progress?.unit !== unit) task.movingSince = undefined;
        if (done > 0 && !task.movingSince) task.movingSince = { at, done };
        task.progress = { done, total, unit, metrics };
        task.note = "";
        break;
      }
      case "task-waiting":
        task.note = `another run (${event.holder}) builds it`;
        break;
      case "task-silent":
        task.note = `no sign of life for ${duration(event.seconds)}`;
        break;
      case "task-retried":
        task.note = `tried again: ${event.error.message}`;
        break;
      case "task-cached":
        Object.assign(task, { status: "cached", seconds: event.seconds, metrics: event.metrics });
        break;
      case "task-finished":
        Object.assign(task, { status: "done", seconds: event.seconds, metrics: event.metrics });
        break;
      case "task-failed":
        Object.assign(task, { status: "failed", note: event.error.message });
        break;
      case "task-skipped":
        Object.assign(task, {
          status: "skipped",
          note: event.because === undefined ? "interrupted" : `needs ${event.because}`,
        });
        break;
    }
  }

  /** Seconds until the running task is done, as far as its pace so far tells. */
  eta(task: TaskView, now: number): number | undefined {
    const { movingSince, progress } = task;
    if (!movingSince || !progress || progress.done <= movingSince.done) return undefined;
    const pace = (now - movingSince.at) / (progress.done - movingSince.done);
    return (pace * (progress.total - progress.done)) / 1000;
  }

  screen(now: number, width: number): string[] {
    const name = Math.max(8, ...[...this.tasks.keys()].map((node) => node.length));
    const lines = [...this.tasks.values()].map((task) => this.line(task, now, name, width));
    const finished = [...this.tasks.values()].filter(
      ({ status }) => status === "done" || status === "cached",
    );
    const elapsed = duration((now - this.startedAt) / 1000);
    return [...lines, paint.dim(`${finished.length} of ${this.tasks.size} stages, ${elapsed} elapsed`)];
  }

  private line(task: TaskView, now: number, name: number, width: number): string {
    const label = task.node.padEnd(name);
    switch (task.status) {
      case "waiting":
        return paint.dim(`○ ${label}  ${task.note || task.ops}`);
      case "running":
        return `${paint.cyan("●")} ${paint.bold(label)}  ${this.running(task, now, width - name - 4)}`;
      case "cached":
        return `${paint.green("✓")} ${label}  ${paint.dim(withMetrics("cached", task.metrics))}`;
      case "done":
        return `${paint.green("✓")} ${label}  ${withMetrics(duration(task.seconds), task.metrics)}`;
      case "failed":
        return `${paint.red("✗")} ${label}  ${paint.red(task.note)}`;
      case "skipped":
        return paint.dim(`- ${label}  ${task.note}`);
    }
  }

  private running(task: TaskView, now: number, width: number): string {
    const { progress } = task;
    if (!progress || task.note) return paint.dim(task.note || task.ops);
    const eta = this.eta(task, now);
    const parts = [
      `${metric(progress.done)}/${metric(progress.total)} ${progress.unit}`,
      ...(eta === undefined ? [] : [`ETA ${duration(eta)}`]),
      ...Object.entries(progress.metrics).map(([key, value]) => `${key} ${metric(value)}`),
    ];
    let text = "";
    for (const part of parts) {
      const longer = text ? `${text}  ${part}` : part;
      if (longer.length > width - 26) break;
      text = longer;
    }
    return `${bar(progress.total > 0 ? progress.done / progress.total : 0, 20)}  ${text}`;
  }
}

/** The first few metrics; all of them are in `align show` and the journal. */
function withMetrics(text: string, metrics: Readonly<Record<string, number>>): string {
  const few = Object.entries(metrics).slice(0, 4);
  return [text.padEnd(8), ...few.map(([key, value]) => `${key} ${metric(value)}`)].join("  ").trimEnd();
}
