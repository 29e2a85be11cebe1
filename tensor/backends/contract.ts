// The one contract of all backends, as checks that run in a test or, for a runtime that may crash, in a process of its own.

import assert from "node:assert/strict";
import { TensorError } from "../error.ts";
import { grad } from "../ir/autodiff.ts";
import { Builder } from "../ir/builder.ts";
import type { HostArray } from "../ir/graph.ts";
import { type OpCase, opCases, operandFeeds, operandInputs } from "../ir/op-cases.ts";
import type { Backend } from "./backend.ts";
import { referenceBackend } from "./reference/index.ts";

export interface Check {
  readonly title: string;
  /** Throws when the backend does not keep it. */
  run(backend: Backend): Promise<void>;
}

const oracle = referenceBackend("f64");
const tolerance = 1e-5;

export const contract: readonly Check[] = [
  ...opCases.map((c) => ({
    title: `computes ${c.title} and its gradient like the oracle, to 1e-5`,
    run: (backend: Backend) => computes(backend, c),
  })),
  {
    title: "has a fingerprint of four parts or less without spaces, for cache keys",
    async run({ fingerprint }) {
      assert.match(fingerprint, /^[a-z-]+(\/[\w.-]+){2,3}$/);
    },
  },
  {
    title: "an output may be an input, a constant, or the same value under two names",
    async run(backend) {
      const b = new Builder();
      const x = b.input("x", [2]);
      const y = b.add(x, 1);
      const executable = await backend.compile(b.finish({ x, one: b.scalar(1), y, again: y }));
      const out = await executable.run({ x: Float32Array.of(1, 2) });
      assert.deepEqual([...out.x!, ...out.one!, ...out.y!, ...out.again!], [1, 2, 1, 2, 3, 2, 3]);
      await executable.dispose();
    },
  },
  {
    title: "writes into the array given, which may be the one an input came from",
    async run(backend) {
      const executable = await backend.compile(moments());
      const state = Float32Array.of(2, 4, 6);
      const out = await executable.run({ m: state, g: Float32Array.of(1, 1, 1) }, { m: state });
      assert.equal(out.m, state);
      assert.deepEqual([...state], [2, 3, 4]); // 2/2+1, 4/2+1, 6/2+1
      await executable.dispose();
    },
  },
  {
    title: "state may stay with the device between runs and comes back when it is reclaimed",
    async run(backend) {
      const executable = await backend.compile(moments(), { state: (name) => name === "m" });
      const plain = await backend.compile(moments());
      const [m, spare, ones] = [Float32Array.of(2, 4, 6), new Float32Array(3), Float32Array.of(1, 1, 1)];
      const reclaim = async (...arrays: HostArray[]) => backend.reclaim?.(arrays);
      await executable.run({ m, g: ones }, { m }); // in place: 2, 3, 4
      if (backend.reclaim) assert.deepEqual([...m], [2, 4, 6]); // nothing was carried home
      await executable.run({ m, g: ones }, { m: spare }); // to another array: 2, 2.5, 3
      const read = await plain.run({ m: spare, g: ones }); // by an executable that knows of no state: 2, 2.25, 2.5
      assert.deepEqual([...read.m!], [2, 2.25, 2.5]);
      await reclaim(m, spare);
      assert.deepEqual([...m, ...spare], [2, 3, 4, 2, 2.5, 3]);
      spare.fill(8); // a plain array again: what the host writes counts
      const { m: next } = await executable.run({ m: spare, g: ones });
      await reclaim(next!, spare);
      assert.deepEqual([...next!, ...spare], [5, 5, 5, 8, 8, 8]);
      await executable.dispose();
      await plain.dispose();
    },
  },
  {
    title:
      "where it loops, it computes several times in one run, each time from the state of the time before",
    async run(backend) {
      if (!backend.loops) return;
      const b = new Builder();
      const [m, half] = [b.input("m", [2]), b.input("half", [])];
      const next = b.add(b.mul(m, half), b.input("g", [2]));
      const loop = { times: 3, each: (name: string) => name === "g" };
      const graph = b.finish({ m: next, sum: b.sum(next) });
      const executable = await backend.compile(graph, { loop, state: (name) => name === "m" });
      const state = Float32Array.of(2, 4);
      const g = Float32Array.of(1, 1, 2, 2, 3, 3);
      const out = await executable.run({ m: state, half: Float32Array.of(0.5), g }, { m: state });
      await backend.reclaim?.([state]);
      // 2/2+1, 2/2+2, 3/2+3 and 4/2+1, 3/2+2, 3.5/2+3
      assert.deepEqual([...state], [4.5, 4.75]);
      assert.deepEqual([...out.sum!], [5, 6.5, 9.25]);
      await executable.dispose();
    },
  },
  {
    title: "an input that is missing, of the wrong size or of the wrong type is refused by name",
    async run(backend) {
      const b = new Builder();
      const executable = await backend.compile(b.finish({ y: b.neg(b.input("x", [2, 2])) }));
      await assert.rejects(executable.run({}), /no array was fed for the input "x"/);
      await assert.rejects(executable.run({ x: new Float32Array(3) }), /"x" wants f32 \[2,2\]/);
      await assert.rejects(executable.run({ x: new Int32Array(4) }), /was fed a Int32Array of 4/);
      await executable.dispose();
    },
  },
  {
    title: "running after dispose is an error",
    async run(backend) {
      const b = new Builder();
      const executable = await backend.compile(b.finish({ y: b.neg(b.input("x", [1])) }));
      await executable.dispose();
      await assert.rejects(executable.run({ x: Float32Array.of(1) }), TensorError);
    },
  },
];

/** m/2 + g, as an optimiser moves its moments. */
function moments() {
  const b = new Builder();
  return b.finish({ m: b.add(b.mul(b.input("m", [3]), 0.5), b.input("g", [3])) });
}

async function computes(backend: Backend, c: OpCase): Promise<void> {
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
  for (const verbatim of [true, false]) {
    const executable = await backend.compile(graph, { verbatim });
    const got = await executable.run(feeds);
    for (const [name, array] of Object.entries(wanted)) {
      array.forEach((w, i) => {
        const error = Math.abs(got[name]![i]! - w) / Math.max(1, Math.abs(w));
        assert.ok(error < tolerance, `${name}[${i}] is ${got[name]![i]}, wants ${w}`);
      });
    }
    await executable.dispose();
  }
}
