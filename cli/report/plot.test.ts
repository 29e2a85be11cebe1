import { expect, test } from "vitest";
import { plot, roundStep, runningMean, thinned } from "./plot.ts";

test.each([
  [[0, 1], 0.2], // a quarter of the range is 0.25: 0.2 gives five steps, 0.5 only two
  [[0.5232, 0.6952], 0.05],
  [[0, 1500], 500],
  [[0, 5e-4], 1e-4],
  [[3, 3], 1], // nothing to go by but the size of the value
  [[0, 0], 0.2],
])("of values from %s the ticks are %f apart", (values, step) => {
  expect(roundStep(values)).toBeCloseTo(step, 12);
});

test("a running mean is that of the points up to each one", () => {
  expect(
    runningMean(
      [
        [0, 4],
        [1, 2],
        [2, 0],
        [3, 6],
      ],
      2,
    ),
  ).toEqual([
    [0, 4],
    [1, 3],
    [2, 1],
    [3, 3],
  ]);
});

test("a long curve keeps its peaks when it is thinned", () => {
  const points = Array.from({ length: 5000 }, (_, i) => [i, i === 1234 ? 9 : i % 2] as const);
  const thin = thinned(points);
  expect(thin.length).toBeLessThanOrEqual(300);
  expect(thin).toContainEqual([1234, 9]);
  expect(thin.every(([x], i) => i === 0 || x > thin[i - 1]![0])).toBe(true);
});

test("every series is a line with a name in the legend; ticks are as exact as they must be", () => {
  const text = plot({
    title: "loss",
    unit: "steps",
    series: [
      {
        name: "loss",
        points: [
          [0, 0.7],
          [10, 0.5],
        ],
      },
      { name: "eval_loss", points: [[5, 0.65]] },
    ],
  });
  expect(text.match(/class="line series-[01]" d="M[\d. ]+L?/g)).toHaveLength(2 + 2); // and two in the legend
  expect(text.match(/<circle/g)).toHaveLength(3); // few points are shown as such
  expect(text).toContain(">eval_loss</text>");
  for (const tick of ["0.50", "0.55", "0.70", ">0<", ">10<"]) expect(text).toContain(tick);
  expect(text).not.toMatch(/NaN|Infinity|undefined/);
});

test("a curve that stays where it is can be drawn", () => {
  const text = plot({
    title: "kl",
    unit: "steps",
    series: [
      {
        name: "kl",
        points: [
          [0, 0],
          [1, 0],
        ],
      },
    ],
  });
  expect(text).not.toMatch(/NaN|Infinity/);
});
