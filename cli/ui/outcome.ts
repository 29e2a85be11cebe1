// What a run came to: failures, results, expectations, what was published, in words and as an exit status.
import type { Event, Outcome } from "../../engine/index.ts";
import { failureText, warningText } from "./failure-text.ts";
import { duration, metric } from "./format.ts";
import { paint } from "./terminal.ts";

export const statusOf: Readonly<Record<Outcome, number>> = {
  done: 0,
  failed: 1,
  "expectation-failed": 3,
  interrupted: 130,
};

/** With --json only failures and warnings, and those on stderr. */
export function printOutcome(events: readonly Event[], json: boolean): void {
  for (const event of events) {
    if (event.type === "task-failed") {
      console.error(`\n${failureText({ ...event.error, message: `${event.node}: ${event.error.message}` })}`);
      if (event.tail && event.tail.length > 0)
        console.error(paint.dim(event.tail.map((line) => `  | ${line}`).join("\n")));
      if (event.log) console.error(paint.dim(`  log: ${event.log}`));
    }
    if (event.type === "task-warned") console.error(`\n${warningText(event.warning)}`);
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
