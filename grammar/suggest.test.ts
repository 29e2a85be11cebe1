import { expect, test } from "vitest";
import { distance, nearest } from "./suggest.ts";

test("a swap of neighbours is one edit", () => {
  expect(distance("epohcs", "epochs")).toBe(1);
  expect(distance("kitten", "sitting")).toBe(3);
  expect(distance("", "abc")).toBe(3);
});

test("nearest first, at most three, never far", () => {
  expect(nearest("sampels", ["simples", "samples", "sample", "example", "tests"])).toEqual([
    "samples",
    "sample",
    "simples",
  ]);
  expect(nearest("x", ["loss", "gain"])).toEqual([]);
  expect(nearest("strin", ["true", "int", "float", "string"])).toEqual(["string"]);
});

test("case is no difference", () => {
  expect(nearest("preference", ["Preference", "Prompt"])).toEqual(["Preference"]);
});
