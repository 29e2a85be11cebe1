// Rounding of weights: by hand, within its bound, and as onnxruntime multiplies with it.

import { expect, test } from "vitest";
import { Builder } from "../../ir/builder.ts";
import { stream } from "../../random.ts";
import { quantize } from "./freeze.ts";
import { onnxBackend } from "./index.ts";

test("the number farthest from zero falls on the end of the range: 4 bits", () => {
  const w = new Float32Array(32);
  w.set([-8, 7, 0, 3.4, 8]);
  const { packed, scales } = quantize(w, 1, 32, 4);
  expect([...scales]).toEqual([1]); // -8 / -8
  // q = round(w) + 8, low half first: 0, 15, 8, 11, 8 + 8 cut to 15
  expect([...packed.slice(0, 3)]).toEqual([0 | (15 << 4), 8 | (11 << 4), 15 | (8 << 4)]);
});

test("a block of zeros stays zero", () => {
  const { packed, scales } = quantize(new Float32Array(32), 1, 32, 8);
  expect([Math.abs(scales[0]!), new Set(packed)]).toEqual([0, new Set([128])]);
});

test.each([8, 4] as const)("%i bits: each number is within one scale of itself", (bits) => {
  const random = stream("weights");
  const w = Float32Array.from({ length: 4 * 64 }, () => random.normal());
  const { packed, scales } = quantize(w, 4, 64, bits);
  w.forEach((x, i) => {
    const q = bits === 8 ? packed[i]! : (packed[i >> 1]! >> (i % 2 === 0 ? 0 : 4)) & 15;
    const scale = scales[i >> 5]!;
    expect(Math.abs(scale * (q - 2 ** (bits - 1)) - x)).toBeLessThanOrEqual(Math.abs(scale) * 1.0001);
  });
});

test.each([
  ["x Wᵀ", true, 32, 1e-5],
  ["x Wᵀ", true, 8, 0.02],
  ["x Wᵀ", true, 4, 0.25],
  ["x W", false, 8, 0.02],
] as const)("%s with frozen weights of %#", async (_title, transB, bits, limit) => {
  const backend = await onnxBackend();
  const random = stream(1);
  const values = (n: number) => Float32Array.from({ length: n }, () => random.normal());
  const [x, w] = [values(3 * 64), values(96 * 64)];
  const b = new Builder();
  const y = b.matmul(b.input("x", [3, 64]), b.input("w", transB ? [96, 64] : [64, 96]), { transB });
  const graph = b.finish({ y });
  const exact = await (await backend.compile(graph)).run({ x, w });
  const frozen = await backend.compile(graph, { frozen: { arrays: { w }, bits } });
  const rounded = await frozen.run({ x });
  const wanted = Float64Array.from(exact.y!);
  const norm = (a: Float64Array) => Math.sqrt(a.reduce((sum, v) => sum + v * v, 0));
  const error = norm(wanted.map((v, i) => v - rounded.y![i]!)) / norm(wanted);
  console.log(`${bits} bits: relative error ${error.toExponential(1)}`);
  expect(error).toBeLessThan(limit);
});
