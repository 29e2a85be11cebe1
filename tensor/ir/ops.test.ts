// Every op's gradient against central finite differences in float64.

import { describe, expect, test } from "vitest";
import type { Executable } from "../backends/backend.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { stream } from "../random.ts";
import { sizeOf } from "../shape.ts";
import { grad } from "./autodiff.ts";
import { Builder } from "./builder.ts";
import { type OpCase, opCases, operandInputs } from "./op-cases.ts";
import { ops } from "./ops/index.ts";

test("every op has a case, so a new op without one fails here", () => {
  expect(Object.keys(ops).filter((op) => !opCases.some((c) => c.op === op))).toEqual([]);
});

/** loss = Σ outputs · fixed random weights, and its gradients, as one executable. */
async function compileLoss({ operands, build }: OpCase): Promise<{ run: Executable["run"]; wrt: number[] }> {
  const b = new Builder();
  const x = operandInputs(b, operands);
  const random = stream("cotangents");
  const terms = build(b, x).map((out) => {
    const weights = Array.from({ length: sizeOf(out.shape) }, () => random.normal());
    return b.sum(b.mul(out, b.constant(weights, out.shape)));
  });
  const loss = terms.reduce((p, q) => b.add(p, q));
  const wrt: number[] = [];
  const outputs: Record<string, typeof loss> = { loss };
  operands.forEach(({ dtype }, i) => {
    if (dtype === "i32") return;
    try {
      outputs[`g${i}`] = grad(b, loss, [x[i]!])[0]!;
      wrt.push(i);
    } catch (error) {
      if (!String(error).includes("does not depend")) throw error; // a stopped gradient
    }
  });
  const { run } = await referenceBackend("f64").compile(b.finish(outputs));
  return { run, wrt };
}

describe("gradient equals (f(x+h) - f(x-h)) / 2h to 1e-7 in float64", () => {
  test.each(opCases.filter((c) => c.differentiable).map((c) => [c.title, c] as const))(
    "%s",
    async (_title, c) => {
      const { run, wrt } = await compileLoss(c);
      const feeds = Object.fromEntries(
        c.operands.map((o, i) => [
          `x${i}`,
          o.dtype === "i32" ? Int32Array.from(o.values) : Float64Array.from(o.values),
        ]),
      );
      const exact = await run(feeds);
      expect(wrt.length).toBeGreaterThan(0);
      const h = 1e-5;
      for (const i of wrt) {
        const x = feeds[`x${i}`]!;
        for (let j = 0; j < x.length; j++) {
          const value = x[j]!;
          x[j] = value + h;
          const up = (await run(feeds)).loss![0]!;
          x[j] = value - h;
          const down = (await run(feeds)).loss![0]!;
          x[j] = value;
          expect(exact[`g${i}`]![j], `d/dx${i}[${j}]`).toBeCloseTo((up - down) / (2 * h), 7);
        }
      }
    },
  );
});
