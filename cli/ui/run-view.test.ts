import { expect, test } from "vitest";
import type { Event, EventBody } from "../../engine/index.ts";
import { PlainLines } from "./plain.ts";
import { RunView } from "./run-view.ts";

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();
const event = (second: number, body: EventBody): Event => ({ at: at(second), ...body });
const task = (node: string) => ({
  node,
  kind: "stage" as const,
  ops: ["sft"],
  needs: [],
  state: "will-run" as const,
  reason: "never built",
});
const start: Event[] = [
  event(0, { type: "run-started", run: "r1", pipeline: "p", path: "p.align", store: ".align", swept: 0 }),
  event(0, { type: "plan", tasks: [task("base"), task("tuned")] }),
  event(1, { type: "task-started", node: "base", key: "k", reason: "never built", log: "l" }),
];
const progress = (second: number, done: number): Event =>
  event(second, {
    type: "task-progress",
    node: "base",
    done,
    total: 100,
    unit: "steps",
    metrics: { loss: 2 },
  });

test("the ETA follows the pace since the first finished step, not since the start", () => {
  const view = new RunView();
  for (const e of [...start, progress(11, 1), progress(20, 10)]) view.handle(e);
  // 9 steps in 9 s: one a second, 90 are left
  expect(view.eta(view.tasks.get("base")!, Date.parse(at(20)))).toBe(90);
});

test("another unit is another part of the work, with a pace of its own", () => {
  const view = new RunView();
  const asked = { ...progress(11, 60), unit: "sequences" };
  for (const e of [...start, asked, progress(20, 1), progress(22, 11)]) view.handle(e);
  // 10 steps in 2 s: five a second, 89 are left
  expect(view.eta(view.tasks.get("base")!, Date.parse(at(22)))).toBe(17.8);
});

test("the screen has a line per stage and one in all", () => {
  const view = new RunView();
  for (const e of [...start, progress(11, 1), progress(21, 51)]) view.handle(e);
  expect(view.screen(Date.parse(at(21)), 100)).toEqual([
    "● base      ━━━━━━━━━━──────────  51/100 steps  ETA 9.8 s  loss 2",
    "○ tuned     sft",
    "0 of 2 stages, 21 s elapsed",
  ]);
});

test("plain lines come at most every ten seconds for one stage", () => {
  const plain = new PlainLines();
  const lines = [...start, progress(5, 4), progress(12, 11), progress(13, 12), progress(22, 21)].flatMap(
    (e) => plain.handle(e),
  );
  expect(lines).toEqual([
    "p: run r1, store .align",
    "base: started (never built)",
    "base: 11/100 steps, loss 2, ETA 1 m 29 s",
    "base: 21/100 steps, loss 2, ETA 1 m 19 s",
  ]);
});
