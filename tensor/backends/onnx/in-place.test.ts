// Results land in the caller's arrays, and nowhere else.

import { expect, test } from "vitest";
import { Builder } from "../../ir/builder.ts";
import { onnxBackend } from "./index.ts";

test("a run makes no arrays of its own beside those it was given", async () => {
  const n = 2 ** 22; // 16 MiB
  const b = new Builder();
  const run = await (await onnxBackend()).compile(b.finish({ y: b.add(b.input("x", [n]), 1) }));
  const [x, y] = [new Float32Array(n).fill(2), new Float32Array(n)];
  await run.run({ x }, { y });
  const before = process.memoryUsage().arrayBuffers;
  const out = await run.run({ x }, { y });
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  expect(out.y).toBe(y);
  expect([y[0], y[n - 1]]).toEqual([3, 3]);
  await run.dispose();
});

test("what goes wrong inside a run is still an error", async () => {
  const b = new Builder();
  const run = await (await onnxBackend()).compile(
    b.finish({ y: b.gatherRows(b.input("x", [2, 1]), b.input("i", [1], "i32")) }),
  );
  await expect(run.run({ x: Float32Array.of(1, 2), i: Int32Array.of(7) })).rejects.toThrow(
    /out of data bounds|indices/,
  );
  await run.dispose();
});
