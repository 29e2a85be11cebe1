import { expect, test } from "vitest";
import { DigestSet, digestOf } from "./digest-set.ts";

test("ten thousand rows are known again, and only those", () => {
  const set = new DigestSet();
  const added = Array.from({ length: 10_000 }, (_, n) => set.add(digestOf({ n })));
  expect(added.every((fresh) => fresh)).toBe(true);
  expect(set.add(digestOf({ n: 7 }))).toBe(false);
  expect(set.size).toBe(10_000);
  const known = Array.from({ length: 20_000 }, (_, n) => set.has(digestOf({ n })));
  expect(known.indexOf(false)).toBe(10_000);
  expect(known.lastIndexOf(true)).toBe(9_999);
});

test("the order of columns is no difference", () => {
  expect(digestOf({ a: 1, b: 2 })).toEqual(digestOf({ b: 2, a: 1 }));
  expect(digestOf({ a: 1, b: 2 })).not.toEqual(digestOf({ a: 2, b: 1 }));
});
