import { expect, test } from "vitest";
import { summaryOf } from "./summary.ts";

const metrics = {
  score: 1.25,
  baseline_score: 0.5,
  gain: 0.75,
  gain_low: -0.125,
  gain_high: 1.5,
  win_rate: 0.625,
  win_rate_low: 0.5,
  win_rate_high: 0.75,
  kl: 2,
  length: 20,
  baseline_length: 21,
};
const row = {
  prompt: "It was\na",
  responses: [" good day", " fine day"],
  baseline_responses: [" bad day", " dull day"],
  scores: [3, 2],
  baseline_scores: [-3, -1],
  kl: 2,
};

test("a table with signed differences, then texts before and after on one line each", () => {
  expect(summaryOf(metrics, [row], { show: 10, confidence: 0.95, samples: 2 })).toBe(
    `                     baseline   model  difference (95% interval)
mean score              0.500   1.250  +0.750 [−0.125, +1.500]
win rate                        62.5%  [50.0%, 75.0%]
mean length, tokens    21.000  20.000
sequence KL, nats               2.000  model ‖ baseline, mean over responses
1 prompts, 2 samples each

The first prompts, before and after (score):
 1. It was a
    before (−3.000) bad day
    after  (+3.000) good day
`,
  );
});

test("nothing is shown when nothing is asked for", () => {
  expect(summaryOf(metrics, [row], { show: 0, confidence: 0.9, samples: 1 })).toMatch(
    /1 prompts, 1 sample each\n$/,
  );
});
