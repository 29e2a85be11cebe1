// Shape errors say which op, which shapes; gradients that cannot exist are errors, not zeros.

import { expect, test } from "vitest";
import { TensorError } from "../error.ts";
import { grad } from "./autodiff.ts";
import { Builder } from "./builder.ts";

test("operands that do not fit are refused with the op and both shapes", () => {
  const b = new Builder();
  const [x, y] = [b.input("x", [2, 3]), b.input("y", [4])];
  expect(() => b.add(x, y)).toThrow("add: [2,3] and [4] do not broadcast");
  expect(() => b.matmul(x, x)).toThrow("matmul: [2,3] times [2,3]");
  expect(() => b.reshape(x, [4])).toThrow("reshape: [2,3] has 6 elements, [4] has 4");
  expect(() => b.sum(x, [2])).toThrow("sum: axis 2 is outside rank 2");
  expect(() => b.gatherRows(x, y)).toThrow("gatherRows: wants i32, got f32 [4]");
  expect(() => b.split(x, 1, [1, 1])).toThrow(TensorError);
  expect(() => b.input("x", [1])).toThrow('two inputs are named "x"');
});

test("a gradient of a non-scalar, or of what the loss does not use, is refused", () => {
  const b = new Builder();
  const [x, y] = [b.input("x", [2]), b.input("y", [2])];
  expect(() => grad(b, x, [x])).toThrow("the loss is [2], wants a scalar");
  expect(() => grad(b, b.sum(x), [y])).toThrow('the loss does not depend on "y"');
  expect(() => grad(b, b.sum(b.stopGradient(x)), [x])).toThrow('does not depend on "x"');
});
