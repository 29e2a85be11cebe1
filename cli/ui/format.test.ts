import { expect, test } from "vitest";
import { bytes, duration, metric } from "./format.ts";

test("durations keep two meaningful parts", () => {
  expect([0.04, 0.84, 9.96, 59.4, 59.6, 185, 3600, 7620].map(duration)).toEqual([
    "0.0 s",
    "0.8 s",
    "10 s",
    "59 s",
    "1 m 00 s",
    "3 m 05 s",
    "1 h 00 m",
    "2 h 07 m",
  ]);
});

test("metrics keep four significant digits", () => {
  expect([Math.LN2, 12.345678, 56194, 1234.5, 0.0002, 0.5, -0.25, 0].map(metric)).toEqual([
    "0.6931",
    "12.35",
    "56,194",
    "1,235",
    "2e-4",
    "0.5",
    "-0.25",
    "0",
  ]);
});

test("bytes are decimal", () => {
  expect([0, 999, 1000, 1500, 22_600_000, 999_600].map(bytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "1.5 kB",
    "23 MB",
    "1.0 MB",
  ]);
});
