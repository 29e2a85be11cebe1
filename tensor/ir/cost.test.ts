// Costs of graphs small enough to be added up by hand.

import { expect, test } from "vitest";
import { Builder } from "./builder.ts";
import { flopsOf, peakBytes } from "./cost.ts";

test("a product costs a multiplication and an addition for every number that goes into a result", () => {
  const b = new Builder();
  const y = b.matmul(b.input("x", [3, 5]), b.input("w", [5, 7]));
  expect(flopsOf(b.finish({ y }))).toBe(2 * 3 * 7 * 5);
  const c = new Builder();
  const z = c.matmul(c.input("x", [5, 3]), c.input("w", [7, 5]), { transA: true, transB: true });
  expect(flopsOf(c.finish({ z }))).toBe(2 * 3 * 7 * 5);
});

test("attention costs two products per head", () => {
  const b = new Builder();
  const [q, k, v] = [b.input("q", [2, 4, 3, 8]), b.input("k", [2, 4, 5, 8]), b.input("v", [2, 4, 5, 8])];
  const [y] = b.emit("attention", [q, k, v, b.input("bias", [1, 1, 3, 5])], { scale: 1 });
  expect(flopsOf(b.finish({ y: y! }))).toBe(2 * (2 * 2 * 4 * 3 * 5 * 8));
});

test("a chain holds one buffer, which each step writes over", () => {
  const b = new Builder();
  const y = b.exp(b.neg(b.exp(b.neg(b.input("x", [100])))));
  // Three values of 400 bytes before the output, one after the other in the same place.
  expect(peakBytes(b.finish({ y }))).toBe(400);
});

test("a value that is read again late is held as long", () => {
  const b = new Builder();
  const x = b.input("x", [100]);
  const early = b.exp(x);
  const wide = b.expand(b.reshape(b.neg(x), [1, 100]), [3, 100]);
  const y = b.add(b.reshape(b.sum(wide, [0]), [100]), early);
  // early 400, the negated 400 and its expansion 1200 at the worst moment.
  expect(peakBytes(b.finish({ y }))).toBe(400 + 400 + 1200);
});

test("inputs and outputs are the caller's", () => {
  const b = new Builder();
  expect(peakBytes(b.finish({ y: b.neg(b.input("x", [100])) }))).toBe(0);
});

test("views cost nothing", () => {
  const b = new Builder();
  const y = b.neg(b.reshape(b.reshape(b.exp(b.input("x", [10, 10])), [100]), [4, 25]));
  expect(peakBytes(b.finish({ y }))).toBe(400);
});
