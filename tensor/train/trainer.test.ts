// The training session: parity of backends, determinism, accumulation, resume.

import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Backend } from "../backends/backend.ts";
import { onnxBackend } from "../backends/onnx/index.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { type Params, tensor } from "../host.ts";
import { crossEntropy, sequenceLogprobs } from "../loss/cross-entropy.ts";
import { dpo } from "../loss/dpo.ts";
import { nextTokenMask, randomIds, relativeDifference, tinyConfig, tinyParams } from "../models/testing.ts";
import { adamw } from "../optim/adamw.ts";
import { createScorer } from "../score/scorer.ts";
import { createTrainer, type LossFn, type TrainerOptions } from "./trainer.ts";

const sft: LossFn = (b, model, { ids, mask, tokens }) => ({
  loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!, tokens),
});

/** The first half of the rows are chosen, the second half rejected. */
const preference: LossFn = (b, model, { ids, mask, reference }) => {
  const half = ids!.shape[0]! / 2;
  const [chosen, rejected] = b.split(sequenceLogprobs(b, model.tokenLogprobs(ids!), mask!), 0, [half, half]);
  const [refChosen, refRejected] = b.split(reference!, 0, [half, half]);
  const pairs = { chosen: chosen!, rejected: rejected!, refChosen: refChosen!, refRejected: refRejected! };
  const result = dpo(b, pairs, { beta: 0.1 });
  return {
    loss: b.mean(result.losses),
    metrics: { accuracy: b.mean(result.accuracies), margin: b.mean(result.margins) },
  };
};

function open(backend: Backend, options: Partial<TrainerOptions> = {}) {
  return createTrainer({
    backend,
    config: tinyConfig,
    params: tinyParams(),
    loss: sft,
    optimizer: adamw({ weight_decay: 0.1 }),
    max_grad_norm: 1,
    ...options,
  });
}

const batch = (seed: number, B = 3, T = 9) => ({
  ids: randomIds(B, T, `batch ${seed}`),
  mask: nextTokenMask(B, T),
});
const rate = { learning_rate: 3e-3 };

function digest(params: Params): string {
  const hash = createHash("sha256");
  for (const [name, { data }] of Object.entries(params)) hash.update(name).update(data);
  return hash.digest("hex");
}

function worst(a: Params, b: Params): number {
  return Math.max(...Object.keys(b).map((name) => relativeDifference(a[name]!.data, b[name]!.data)));
}

test("three AdamW steps on onnx equal the reference to 1e-5 relative", async () => {
  const [fast, oracle] = [open(await onnxBackend()), open(referenceBackend())];
  for (let i = 0; i < 3; i++) {
    const [x, y] = [await fast.step(batch(i), rate), await oracle.step(batch(i), rate)];
    expect(Math.abs(x.loss / y.loss - 1)).toBeLessThan(1e-5);
    expect(Math.abs(x.grad_norm / y.grad_norm - 1)).toBeLessThan(1e-5);
  }
  const difference = worst(fast.params(), oracle.params());
  console.log(`weights after three steps: relative difference ${difference.toExponential(2)}`);
  expect(difference).toBeLessThan(1e-5);
  await fast.dispose();
});

describe("determinism", () => {
  test("weights after twelve steps hash the same in two runs and with one and two threads", async () => {
    const hashes: string[] = [];
    for (const threads of [2, 1, 2]) {
      const trainer = open(await onnxBackend({ threads }));
      for (let i = 0; i < 12; i++) await trainer.step(batch(i, 8, 40), rate);
      hashes.push(digest(trainer.params()));
      await trainer.dispose();
    }
    expect(new Set(hashes).size).toBe(1);
    expect(hashes[0]).not.toBe(digest(tinyParams()));
  });

  test("a run restored from a checkpoint ends byte for byte where the uninterrupted one ends", async () => {
    const backend = await onnxBackend();
    const [whole, first, second] = [open(backend), open(backend), open(backend, { params: tinyParams(9) })];
    for (let i = 0; i < 6; i++) await whole.step(batch(i), rate);
    for (let i = 0; i < 3; i++) await first.step(batch(i), rate);
    const saved = first.state();
    await first.step(batch(100), rate); // must not reach into the saved state
    second.restore(saved);
    for (let i = 3; i < 6; i++) await second.step(batch(i), rate);
    expect(second.state().step).toBe(6);
    expect(digest(second.params())).toBe(digest(whole.params()));
    expect(digest(second.state().slots.v!)).toBe(digest(whole.state().slots.v!));
  });
});

describe("several steps in one run", () => {
  const planned = (count: number, first = 0) =>
    Array.from({ length: count }, (_, i) => ({
      batch: batch(first + i),
      learning_rate: rate.learning_rate / (1 + i), // a schedule goes on inside
    }));

  test.each<[string, Partial<TrainerOptions>]>([
    ["all weights", {}],
    ["an average, and layers computed twice", { ema_decay: 0.9, recompute: true }],
    ["dropout", { residual_dropout: { p: 0.3, ramp: true } }],
    ["some of the weights", { trainable: (name) => name.includes("mlp") }],
  ])("have the bits of one by one: %s", async (_, options) => {
    const backend = await onnxBackend();
    const [apart, together] = [open(backend, options), open(backend, options)];
    const wanted = [];
    for (const { batch, learning_rate } of planned(5))
      wanted.push(await apart.step(batch, { learning_rate }));
    expect(await together.steps(planned(5))).toEqual(wanted);
    expect(together.state().step).toBe(5);
    expect(digest(together.params())).toBe(digest(apart.params()));
    for (const [slot, kept] of Object.entries(apart.state().slots))
      expect(digest(together.state().slots[slot]!), slot).toBe(digest(kept));
    // And on from there, one by one and together.
    await apart.step(batch(9), rate);
    await together.steps([{ batch: batch(9), ...rate }]);
    expect(digest(together.params())).toBe(digest(apart.params()));
    for (const trainer of [apart, together]) await trainer.dispose();
  });

  test("of different shapes, of several micro-batches, or where nothing loops, are taken one by one", async () => {
    const backend = await onnxBackend();
    const mixed = [
      { batch: batch(0), ...rate },
      { batch: batch(1, 2, 12), ...rate },
      { batch: [batch(2), batch(3)], ...rate },
    ];
    for (const on of [backend, { ...backend, loops: false }]) {
      const [apart, together] = [open(backend), open(on)];
      for (const steps of [mixed, planned(3)]) {
        for (const { batch, learning_rate } of steps) await apart.step(batch, { learning_rate });
        expect(await together.steps(steps)).toHaveLength(3);
      }
      expect(digest(together.params())).toBe(digest(apart.params()));
      for (const trainer of [apart, together]) await trainer.dispose();
    }
  });

  test("one that is not finite ends them all, and the weights are those from before", async () => {
    const trainer = open(await onnxBackend());
    await trainer.step(batch(0), rate);
    const before = digest(trainer.params());
    const [first, second, third] = planned(3);
    const wild = { ...second!, learning_rate: 1e38 };
    await expect(trainer.steps([first!, wild, third!])).rejects.toThrow(
      /step 4 gave loss|from before step 2/,
    );
    expect(digest(trainer.params())).toBe(before);
    await trainer.dispose();
  });
});

test("a large model keeps the programs of its last four shapes, and has the losses of one that keeps all", async () => {
  const backend = await onnxBackend();
  const events: string[] = [];
  const watched: Backend = {
    ...backend,
    async compile(graph, options) {
      const length = graph.inputs.find(({ attrs }) => attrs.name === "b/ids")!.attrs.shape[1];
      events.push(`+${length}`);
      const { run, dispose } = await backend.compile(graph, options);
      return {
        run,
        dispose() {
          events.push(`-${length}`);
          return dispose();
        },
      };
    },
  };
  const ballast = tensor(new Float32Array(32e6), [32e6]); // from so many numbers on it is large
  const small = open(backend);
  const large = open(watched, {
    params: { ...tinyParams(), ballast },
    trainable: (name) => name !== "ballast",
  });
  for (const T of [4, 5, 6, 7, 4, 8, 5]) {
    const batch = { ids: randomIds(2, T, T), mask: nextTokenMask(2, T), tokens: 2 * (T - 1) };
    expect(await large.step(batch, { learning_rate: 1e-2 })).toEqual(
      await small.step(batch, { learning_rate: 1e-2 }),
    );
  }
  // 4 was used again, so the fifth shape drops 5, whose return drops 6.
  expect(events).toEqual(["+4", "+5", "+6", "+7", "+8", "-5", "+5", "-6"]);
  for (const trainer of [small, large]) await trainer.dispose();
});

describe("steps", () => {
  test("the loss of a repeated batch falls", async () => {
    const trainer = open(await onnxBackend());
    const first = await trainer.step(batch(1), rate);
    for (let i = 0; i < 20; i++) await trainer.step(batch(1), rate);
    expect((await trainer.step(batch(1), rate)).loss).toBeLessThan(0.8 * first.loss);
  });

  test("two length buckets share one state", async () => {
    const backend = await onnxBackend();
    const trainer = open(backend);
    await trainer.step(batch(1, 3, 9), rate);
    await trainer.step(batch(2, 2, 17), rate);
    const oracle = open(referenceBackend());
    await oracle.step(batch(1, 3, 9), rate);
    await oracle.step(batch(2, 2, 17), rate);
    expect(worst(trainer.params(), oracle.params())).toBeLessThan(1e-5);
    expect(trainer.state().step).toBe(2);
  });

  test("micro-batches divided by the global token count equal the big batch", async () => {
    // 4 rows of 8 supervised tokens: 32 in all, whether in one piece or in 3 + 1 rows.
    const ids = randomIds(4, 9, "whole").data;
    const piece = (from: number, to: number) => ({
      ids: tensor(ids.slice(from * 9, to * 9), [to - from, 9]),
      mask: nextTokenMask(to - from, 9),
      tokens: 32,
    });
    const backend = await onnxBackend();
    const [big, small] = [open(backend), open(backend)];
    const x = await big.step(piece(0, 4), rate);
    const y = await small.step([piece(0, 3), piece(3, 4)], rate);
    expect(y.loss).toBeCloseTo(x.loss, 5);
    expect(y.grad_norm).toBeCloseTo(x.grad_norm, 5);
    expect(worst(small.params(), big.params())).toBeLessThan(1e-5);
  });

  test("frozen weights stay, the others move", async () => {
    const trainer = open(await onnxBackend(), { trainable: (name) => name.includes("mlp") });
    await trainer.step(batch(1), rate);
    await trainer.step(batch(2), rate);
    const [before, after] = [tinyParams(), trainer.params()];
    for (const [name, { data }] of Object.entries(before)) {
      if (name.includes("mlp")) expect(after[name]!.data, name).not.toEqual(data);
      else expect(after[name]!.data, name).toEqual(data);
    }
  });

  test("a head that only the loss knows is trained with the model", async () => {
    const params = { ...tinyParams(), "score.weight": tensor(new Float32Array(16).fill(0.1), [1, 16]) };
    const reward: LossFn = (b, model, { ids }) => ({
      loss: b.mean(b.square(b.sub(b.linear(model.hidden(ids!), model.param("score.weight")), 1))),
    });
    const trainer = open(await onnxBackend(), { params, loss: reward });
    const first = await trainer.step({ ids: batch(1).ids }, rate);
    for (let i = 0; i < 30; i++) await trainer.step({ ids: batch(1).ids }, rate);
    expect((await trainer.step({ ids: batch(1).ids }, rate)).loss).toBeLessThan(first.loss / 2);
  });
});

test("DPO starts at ln 2 = 0.6931471806 with margin and accuracy exactly 0 when policy and reference agree, then learns", async () => {
  const backend = await onnxBackend();
  const ids = randomIds(8, 9, "pairs");
  const mask = nextTokenMask(8, 9);
  const scorer = createScorer({ backend, config: tinyConfig, params: tinyParams() });
  const trainer = open(backend, { loss: preference });
  const feed = { ids, mask, reference: await scorer.sequenceLogprobs(ids, mask) };
  const first = await trainer.step(feed, rate);
  expect(first.loss).toBeCloseTo(Math.LN2, 6);
  expect([first.metrics.margin, first.metrics.accuracy]).toEqual([0, 0]);
  let last = first;
  for (let i = 0; i < 15; i++) last = await trainer.step(feed, rate);
  expect(last.loss).toBeLessThan(0.6);
  expect(last.metrics.accuracy).toBe(1);
});

test("weights that do not fit the config, a wrong state and a vector loss are refused by name", async () => {
  const backend = await onnxBackend();
  const { "model.norm.weight": _, ...lacking } = tinyParams();
  expect(() => open(backend, { params: lacking })).toThrow("the weights lack model.norm.weight");
  const trainer = open(backend, { loss: (_b, model, { ids }) => ({ loss: model.tokenLogprobs(ids!) }) });
  await expect(trainer.step(batch(1), rate)).rejects.toThrow('"loss" is [3,9], must be a scalar');
  expect(() => trainer.restore({ step: 1, params: tinyParams(), slots: {} })).toThrow(
    'no optimiser slot "m"',
  );
  await expect(trainer.step(batch(1), { learning_rate: Number.NaN })).rejects.toThrow("learning_rate is NaN");
});

test("a step that is not finite is an error and leaves the weights of the step before", async () => {
  const trainer = open(await onnxBackend(), {
    loss: (b, model, { ids, mask, blow }) => ({
      loss: b.mul(crossEntropy(b, model.tokenLogprobs(ids!), mask!), b.exp(blow!)),
    }),
  });
  await trainer.step({ ...batch(1), blow: 0 }, rate);
  const before = digest(trainer.params());
  await expect(trainer.step({ ...batch(1), blow: 200 }, rate)).rejects.toThrow("step 2 gave loss Infinity"); // e^200 > 3.4e38
  expect(digest(trainer.params())).toBe(before);
});
