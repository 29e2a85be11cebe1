// Shows a run while it goes on: redrawn in place on a terminal, plain lines elsewhere.
import type { Event } from "../../engine/index.ts";
import { PlainLines } from "./plain.ts";
import { RunView } from "./run-view.ts";
import { live, terminalWidth } from "./terminal.ts";

export interface Display {
  handle(event: Event): void;
  /** Leaves the last screen standing. */
  end(): void;
}

export const silent: Display = { handle() {}, end() {} };

export async function createDisplay(): Promise<Display> {
  return live ? liveDisplay() : plainDisplay();
}

async function liveDisplay(): Promise<Display> {
  // Its tables of Unicode take longer to set up than a small pipeline to check.
  const { createLogUpdate } = await import("log-update");
  const view = new RunView();
  const update = createLogUpdate(process.stderr, { showCursor: true });
  const draw = () =>
    update(lastRows(view.screen(Date.now(), terminalWidth()), process.stderr.rows ?? 40).join("\n"));
  // Between events the clock and the ETA go on.
  const timer = setInterval(draw, 200);
  timer.unref();
  return {
    handle: (event) => view.handle(event),
    end() {
      clearInterval(timer);
      update(view.screen(Date.now(), terminalWidth()).join("\n"));
      update.done();
    },
  };
}

/** A screen taller than the terminal cannot be redrawn in place: keep what is near the running stage and the end. */
function lastRows(lines: string[], rows: number): string[] {
  return lines.length < rows ? lines : lines.slice(lines.length - rows + 1);
}

/** What comes in one turn of the loop is written at once. */
function plainDisplay(): Display {
  const plain = new PlainLines();
  let lines: string[] = [];
  const write = () => {
    if (lines.length > 0) process.stderr.write(`${lines.join("\n")}\n`);
    lines = [];
  };
  return {
    handle(event) {
      if (lines.length === 0) setImmediate(write);
      lines.push(...plain.handle(event));
    },
    end: write,
  };
}
