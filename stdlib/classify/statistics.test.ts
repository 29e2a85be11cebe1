import { expect, test } from "vitest";
import { type Answer, byDataset, intervalOf } from "./statistics.ts";

/** Values of one dataset, a row per example and a column per template. */
const answers = (dataset: string, values: number[][]): Answer[] =>
  values.flatMap((row, example) =>
    row.map((value, template) => ({ dataset, template: `${template}`, example: `${example}`, value })),
  );
const options = { seed: 1, resamples: 500, confidence: 0.95 };

test("a template's accuracy is over examples, the spread over templates", () => {
  // Templates: (1+1+0+0)/4 = 0.5, (1+1+1+0)/4 = 0.75, (1+0+0+0)/4 = 0.25; sorted 0.25, 0.5, 0.75.
  const [found] = byDataset(
    answers("a", [
      [1, 1, 1],
      [1, 1, 0],
      [0, 1, 0],
      [0, 0, 0],
    ]),
  );
  expect(found).toMatchObject({ examples: 4, mean: 0.5, median: 0.5, iqr: 0.25, best: 0.75 });
});

test("all prompts of an example are drawn together", () => {
  // Every example is right by half of its templates, so every resample has the mean ½.
  const half = answers("a", [
    [1, 0],
    [0, 1],
    [1, 0],
  ]);
  expect(intervalOf(half, options)).toEqual({ low: 0.5, high: 0.5 });
});

test("datasets keep their weights, however many rows they have", () => {
  // 100 rows all right and 2 rows all wrong: (1 + 0) / 2 in every resample.
  const all = [
    ...answers(
      "many",
      Array.from({ length: 100 }, () => [1]),
    ),
    ...answers("few", [[0], [0]]),
  ];
  expect(intervalOf(all, options)).toEqual({ low: 0.5, high: 0.5 });
});
