import { expect, test } from "vitest";
import { rowIds } from "./respond.ts";

test("rows are named by their text, so that a new prompt in front renames no other", () => {
  expect(rowIds(["b", "a"]).slice(1)).toEqual(rowIds(["c", "b", "a"]).slice(2));
});

test("a repeated prompt is told apart by its count", () => {
  expect(rowIds(["a", "b", "a"])).toEqual(["0:a", "0:b", "1:a"]);
});
