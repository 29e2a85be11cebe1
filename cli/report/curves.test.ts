import { expect, test } from "vitest";
import type { Store } from "../../engine/index.ts";
import { curvesOf } from "./curves.ts";

/** A store that has nothing but journals. */
function journals(runs: Readonly<Record<string, readonly object[]>>): Store {
  const logs: Record<string, readonly object[]> = {
    "runs.jsonl": Object.keys(runs).map((run) => ({ run, pipeline: "p" })),
    ...Object.fromEntries(Object.entries(runs).map(([run, events]) => [`runs/${run}/events.jsonl`, events])),
  };
  return { log: (name: string) => ({ read: () => logs[name] ?? [] }) } as unknown as Store;
}

const started = (key: string) => ({ type: "task-started", node: "tuned", key });
const step = (done: number, metrics: object) => ({
  type: "task-progress",
  node: "tuned",
  done,
  unit: "steps",
  metrics,
});

test("a stage that was interrupted has one curve from both runs, the later one where they overlap", () => {
  const store = journals({
    first: [started("k"), step(1, { loss: 3 }), step(2, { loss: 2.5 }), step(3, { loss: 2.4 })],
    second: [started("k"), step(3, { loss: 2 }), step(4, { loss: 1.5 })],
  });
  expect(curvesOf(store, "p", new Set(["k"])).get("k")).toEqual([
    {
      title: "loss",
      unit: "steps",
      series: [
        {
          name: "loss",
          points: [
            [1, 3],
            [2, 2.5],
            [3, 2],
            [4, 1.5],
          ],
        },
      ],
    },
  ]);
});

test("what another key reported is another curve", () => {
  const store = journals({
    first: [started("old"), step(1, { loss: 9 }), step(2, { loss: 8 })],
    second: [started("k"), step(1, { loss: 3 }), step(2, { loss: 2 })],
  });
  expect(curvesOf(store, "p", new Set(["k"])).get("k")![0]!.series[0]!.points).toEqual([
    [1, 3],
    [2, 2],
  ]);
});

test("what belongs together is drawn together, counters are not drawn, the learning rate comes last", () => {
  const at = (n: number) => ({
    learning_rate: 0.1 * n,
    loss: 1 / n,
    eval_loss: 2 / n,
    tokens: 100 * n,
    chosen_reward: 0,
  });
  const store = journals({ first: [started("k"), step(1, at(1)), step(2, at(2))] });
  const plots = curvesOf(store, "p", new Set(["k"])).get("k")!;
  expect(plots.map(({ title, series }) => [title, series.map(({ name }) => name)])).toEqual([
    ["loss", ["loss", "eval_loss"]],
    ["chosen_reward", ["chosen_reward"]],
    ["learning_rate", ["learning_rate"]],
  ]);
});
