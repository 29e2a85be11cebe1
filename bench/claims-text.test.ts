import { expect, test } from "vitest";
import { claimsText, type SeedRun } from "./claims-text.ts";

const run = (seed: number, gain: number): SeedRun => ({
  seed,
  expectations: [
    {
      type: "expectation",
      at: "2026-01-01T00:00:00Z",
      text: "zero_shot.gain_low > 0",
      holds: gain > 0.1,
      message: "F1: held-out tasks gain",
      explanation: [],
      values: [{ text: "zero_shot.gain_low", value: gain - 0.1 }],
    },
  ],
  reports: [
    {
      node: "table",
      columns: ["stage", "gain", "median"],
      rows: [{ stage: "zero_shot", gain, gain_low: gain - 0.1, gain_high: gain + 0.1, median: 0.5 }],
    },
  ],
  seconds: 300,
});

test("a claim has a row: whether it holds with every seed, and the numbers that it reads", () => {
  const text = claimsText([run(11, 0.2), run(12, 0.05)], "2 cores");
  expect(text).toContain("2 cores. Seed 11: 5.0 min of stages; Seed 12: 5.0 min of stages.");
  // 0.2 − 0.1 holds, 0.05 − 0.1 does not, and is set in bold.
  expect(text).toContain("| F1: held-out tasks gain | `zero_shot.gain_low > 0` | 1 of 2 | 0.1 | **−0.05** |");
});

test("a report has the mean over seeds, and each seed with its own interval", () => {
  const text = claimsText([run(11, 0.2), run(12, 0.05)], "2 cores");
  expect(text).toContain(
    [
      "| stage | seed | gain | median |",
      "|---|---|--:|--:|",
      "| zero_shot | **mean** | **0.125** | **0.5** |", // (0.2 + 0.05) / 2
      "|  | 11 | 0.2 [0.1, 0.3] | 0.5 |",
      "|  | 12 | 0.05 [−0.05, 0.15] | 0.5 |",
    ].join("\n"),
  );
});

test("what ran from an empty store says how long it took, and beside how much other work", () => {
  const text = claimsText([{ ...run(11, 0.2), wall: 432, load: 1.5 }], "2 cores");
  expect(text).toContain("Seed 11: 7.2 min from an empty store at load 1.5.");
});
