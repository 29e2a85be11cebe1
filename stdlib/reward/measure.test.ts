import { expect, test } from "vitest";
import { agreement, calibrationError, labelerTable, leads } from "./measure.ts";

test("leads are rewards of the better minus the worse, without ties", () => {
  expect(leads({ rewards: [1, 4, 2], ranks: [1, 2, 2] })).toEqual([1 - 4, 1 - 2]);
});

test("accuracy counts pairs, a tie of rewards half; its interval is over comparisons", () => {
  const measured = [
    { rewards: [3, 2, 1], ranks: [1, 2, 3] }, // three right
    { rewards: [1, 1], ranks: [1, 2] }, // a half
    { rewards: [0, 1], ranks: [1, 2] }, // wrong
  ];
  const { accuracy, pairs, interval } = agreement(measured, 1);
  expect(pairs).toBe(5);
  expect(accuracy).toBe(3.5 / 5);
  expect(interval.low).toBeLessThan(accuracy);
  expect(interval.high).toBeGreaterThan(accuracy);
  const certain = agreement([measured[0]!, measured[0]!], 1);
  expect([certain.interval.low, certain.interval.high]).toEqual([1, 1]);
});

test("calibration: a lead of 0 promises nothing, a great lead must come true", () => {
  const pair = (lead: number) => ({ rewards: [lead, 0], ranks: [1, 2] });
  // σ(ln 3) = ¾ comes true three times of four
  const l = Math.log(3);
  expect(calibrationError([pair(l), pair(l), pair(l), pair(-l)])).toBeCloseTo(0, 12);
  expect(calibrationError([pair(l), pair(-l)])).toBeCloseTo(0.25, 12);
  expect(calibrationError([pair(-50)])).toBeCloseTo(1, 12);
  expect(calibrationError([pair(0)])).toBe(0);
});

test("the table has a line for each labeler", () => {
  const one = (labeler: string, lead: number) => ({ rewards: [lead, 0], ranks: [1, 2], labeler });
  expect(
    labelerTable([one("bo", 1), one("al", 1), one("al", -1)], 1)
      .split("\n")
      .slice(1),
  ).toEqual([expect.stringMatching(/^al +50\.0% .* 2$/), expect.stringMatching(/^bo +100\.0% .* 1$/)]);
  expect(labelerTable([{ rewards: [1, 0], ranks: [1, 2] }], 1)).toBe("");
});
