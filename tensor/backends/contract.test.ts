// The one contract of all backends, run against the reference and against onnxruntime.

import { describe, expect, test } from "vitest";
import { TensorError } from "../error.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import { opCases, operandFeeds, operandInputs } from "../ir/op-cases.ts";
import type { Backend } from "./backend.ts";
import { onnxBackend } from "./onnx/index.ts";
import { referenceBackend } from "./reference/index.ts";

const oracle = referenceBackend("f64");

const backends: readonly (readonly [string, () => Promise<Backend>])[] = [
  ["reference", async () => referenceBackend()],
  ["onnx", () => onnxBackend()],
];

describe.each(backends)("%s", (_name, open) => {
  test.each(opCases.map((c) => [c.title, c] as const))(
    "computes %s and its gradient like the oracle, to 1e-5",
    async (_t, c) => {
      const b = new Builder();
      const x = operandInputs(b, c.operands);
      const outs = c.build(b, x);
      const outputs = Object.fromEntries(outs.map((v, i) => [`y${i}`, v]));
      if (c.differentiable) {
        const loss = outs.map((v) => b.sum(b.mul(v, v))).reduce((p, q) => b.add(p, q));
        outputs.gradient = grad(b, loss, [x[0]!])[0]!;
      }
      const graph = b.finish(outputs);
      const feeds = operandFeeds(c.operands);
      const wanted = await (await oracle.compile(graph, { verbatim: true })).run(feeds);
      const backend = await open();
      for (const verbatim of [true, false]) {
        const executable = await backend.compile(graph, { verbatim });
        const got = await executable.run(feeds);
        for (const [name, array] of Object.entries(wanted)) {
          array.forEach((w, i) => {
            const scale = Math.max(1, Math.abs(w));
            expect(
              Math.abs(got[name]![i]! - w) / scale,
              `${name}[${i}] is ${got[name]![i]}, wants ${w}`,
            ).toBeLessThan(1e-5);
          });
        }
        await executable.dispose();
      }
    },
  );

  test("has a fingerprint of four parts or less without spaces, for cache keys", async () => {
    expect((await open()).fingerprint).toMatch(/^[a-z-]+(\/[\w.-]+){2,3}$/);
  });

  test("an output may be an input, a constant, or the same value under two names", async () => {
    const b = new Builder();
    const x = b.input("x", [2]);
    const y = b.add(x, 1);
    const executable = await (await open()).compile(b.finish({ x, one: b.scalar(1), y, again: y }));
    const out = await executable.run({ x: Float32Array.of(1, 2) });
    expect([...out.x!, ...out.one!, ...out.y!, ...out.again!]).toEqual([1, 2, 1, 2, 3, 2, 3]);
  });

  test("writes into the array given, which may be the one an input came from", async () => {
    const b = new Builder();
    const m = b.add(b.mul(b.input("m", [3]), 0.5), b.input("g", [3]));
    const executable = await (await open()).compile(b.finish({ m }));
    const state = Float32Array.of(2, 4, 6);
    const out = await executable.run({ m: state, g: Float32Array.of(1, 1, 1) }, { m: state });
    expect(out.m).toBe(state);
    expect([...state]).toEqual([2, 3, 4]); // 2/2+1, 4/2+1, 6/2+1
  });

  test("an input that is missing, of the wrong size or of the wrong type is refused by name", async () => {
    const b = new Builder();
    const x = b.input("x", [2, 2]);
    const executable = await (await open()).compile(b.finish({ y: b.neg(x) }));
    await expect(executable.run({})).rejects.toThrow('no array was fed for the input "x"');
    await expect(executable.run({ x: new Float32Array(3) })).rejects.toThrow('"x" wants f32 [2,2]');
    await expect(executable.run({ x: new Int32Array(4) })).rejects.toThrow("was fed a Int32Array of 4");
  });

  test("running after dispose is an error", async () => {
    const b = new Builder();
    const executable = await (await open()).compile(b.finish({ y: b.neg(b.input("x", [1])) }));
    await executable.dispose();
    await expect(executable.run({ x: Float32Array.of(1) })).rejects.toThrow(TensorError);
  });
});
