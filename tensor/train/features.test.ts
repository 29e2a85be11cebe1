// Dropout, packing, recomputation, adapters and averages inside a training step.

import { describe, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { type Params, tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { supervisedRows } from "../loss/supervised-rows.ts";
import { initializeLora, isAdapter, mergeLora } from "../models/lora.ts";
import { nextTokenMask, randomIds, relativeDifference, tinyConfig, tinyParams } from "../models/testing.ts";
import { adamw } from "../optim/adamw.ts";
import { sgd } from "../optim/sgd.ts";
import { stream } from "../random.ts";
import { createScorer } from "../score/scorer.ts";
import { keepMask } from "./dropout.ts";
import { KEEP } from "./forward.ts";
import { layerOf, residualRate, writesResidual } from "./residual.ts";
import { createTrainer, type LossFn, type TrainerOptions } from "./trainer.ts";

const backend = await onnxBackend();
const sft: LossFn = (b, model, { ids, mask, tokens }) => ({
  loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!, tokens),
});
const open = (options: Partial<TrainerOptions> = {}) =>
  createTrainer({
    backend,
    config: tinyConfig,
    params: tinyParams(),
    loss: sft,
    optimizer: adamw(),
    max_grad_norm: 1,
    ...options,
  });
const batch = (seed: number, B = 3, T = 9) => ({
  ids: randomIds(B, T, `batch ${seed}`),
  mask: nextTokenMask(B, T),
});
const rate = { learning_rate: 3e-3 };
const worst = (a: Params, b: Params) =>
  Math.max(...Object.keys(b).map((name) => relativeDifference(a[name]!.data, b[name]!.data)));

async function losses(options: Partial<TrainerOptions>, steps = 4): Promise<number[]> {
  const trainer = open(options);
  const seen: number[] = [];
  for (let i = 0; i < steps; i++) seen.push((await trainer.step(batch(i), rate)).loss);
  await trainer.dispose();
  return seen;
}

describe("recomputation", () => {
  test("gives the same losses and the same weights, bit for bit", async () => {
    const [plain, twice] = [open(), open({ recompute: true })];
    for (let i = 0; i < 4; i++) {
      const [x, y] = [await plain.step(batch(i, 4, 32), rate), await twice.step(batch(i, 4, 32), rate)];
      expect(y).toEqual(x);
    }
    for (const [name, { data }] of Object.entries(plain.params())) {
      expect(twice.params()[name]!.data, name).toEqual(data);
    }
  });

  test("goes with adapters and dropout", async () => {
    const options = () => {
      const base = tinyParams();
      const lora = initializeLora(
        base,
        { r: 2, alpha: 4, target_modules: ["q_proj", "down_proj"] },
        stream(1),
      );
      return {
        params: { ...base, ...lora },
        trainable: isAdapter,
        lora: { alpha: 4, dropout: 0.1 },
        residual_dropout: { p: 0.2 },
      };
    };
    expect(await losses({ ...options(), recompute: true })).toEqual(await losses(options()));
  });
});

describe("dropout", () => {
  test("keeps 1-p of the elements, the same ones wherever a row lands", () => {
    const spec = { seed: 7, step: 3, B: 4, size: 4 * 5000 };
    const whole = keepMask(`${KEEP}0.3/place`, { ...spec, first: 0 });
    const kept = whole.reduce((n, x) => n + x, 0) / whole.length;
    expect(kept).toBeGreaterThan(0.69); // 20,000 draws: three standard errors are 0.0097
    expect(kept).toBeLessThan(0.71);
    const part = keepMask(`${KEEP}0.3/place`, { ...spec, first: 2, B: 2, size: 2 * 5000 });
    expect(part).toEqual(whole.slice(2 * 5000));
    expect(keepMask(`${KEEP}0.3/place`, { ...spec, step: 4, first: 0 })).not.toEqual(whole);
    expect(keepMask(`${KEEP}0.3/other`, { ...spec, first: 0 })).not.toEqual(whole);
  });

  test("is the same on both backends, and depends on the seed", async () => {
    const options = { residual_dropout: { p: 0.3, ramp: true }, seed: 5 };
    const [fast, oracle] = [
      await losses(options, 2),
      await losses({ ...options, backend: referenceBackend() }, 2),
    ];
    fast.forEach((loss, i) => {
      expect(Math.abs(loss - oracle[i]!)).toBeLessThan(1e-5);
    });
    expect(await losses({ ...options, seed: 6 }, 2)).not.toEqual(fast);
    expect(await losses({}, 2)).not.toEqual(fast);
  });

  test("LIMA's p_l rises evenly from nothing in the bottom layer to p in the top one", () => {
    const rates = (p: number, layers: number) =>
      Array.from({ length: layers }, (_, layer) => residualRate({ p, ramp: true }, layer, layers));
    expect(rates(0.5, 5)).toEqual([0, 0.125, 0.25, 0.375, 0.5]);
    // LLaMA-65B, §3: 80 layers and 0.3.
    const large = rates(0.3, 80);
    expect([large[0], large[79]]).toEqual([0, 0.3]);
    expect(large[40]).toBeCloseTo((0.3 * 40) / 79, 15);
    expect(rates(0.3, 1)).toEqual([0]);
    expect(residualRate({ p: 0.3 }, 0, 80)).toBe(0.3);
  });

  test("the ramp is p·l/(L-1): with two layers nothing, then p", async () => {
    // L = 2: p_0 = 0, p_1 = 0.4. Only the second layer's two projections have masks, so zeroing p changes nothing else.
    const first = await losses({ residual_dropout: { p: 0.4, ramp: true } }, 1);
    const flat = await losses({ residual_dropout: { p: 0.4 } }, 1);
    expect(first).not.toEqual(flat);
    expect(await losses({ residual_dropout: { p: 0, ramp: true } }, 1)).toEqual(await losses({}, 1));
  });

  test("does not depend on the micro-batches", async () => {
    const { ids, mask } = batch(1, 4, 9);
    const rows = (from: number, to: number) => ({
      ids: tensor(ids.data.slice(from * 9, to * 9), [to - from, 9]),
      mask: tensor(mask.data.slice(from * 9, to * 9), [to - from, 9]),
      tokens: 32,
    });
    const [big, small] = [0, 1].map(() => open({ residual_dropout: { p: 0.3 } }));
    const x = await big!.step(rows(0, 4), rate);
    const y = await small!.step([rows(0, 1), rows(1, 3), rows(3, 4)], rate);
    expect(y.loss).toBeCloseTo(x.loss, 5);
    expect(worst(small!.params(), big!.params())).toBeLessThan(1e-4);
  });

  test("is off in evaluation", async () => {
    const [plain, dropped] = [open(), open({ residual_dropout: { p: 0.5 } })];
    expect(await dropped.evaluate(batch(1))).toEqual(await plain.evaluate(batch(1)));
    expect((await dropped.step(batch(1), rate)).loss).not.toBe((await plain.step(batch(1), rate)).loss);
  });

  test("knows the layers and the outputs of four families by name", () => {
    const names = [
      "model.layers.3.mlp.down_proj",
      "transformer.h.3.attn.c_proj",
      "gpt_neox.layers.3.attention.dense",
      "decoder.block.3.layer.1.EncDecAttention.o",
    ];
    expect(names.map(layerOf)).toEqual([3, 3, 3, 3]);
    expect(names.every(writesResidual)).toBe(true);
    expect(["model.layers.0.mlp.up_proj", "lm_head", "h.0.attn.c_attn"].some(writesResidual)).toBe(false);
  });
});

describe("packing", () => {
  /** Lengths 5, 7 and 4 in one row of 16, against one row each. */
  const lengths = [5, 7, 4];
  const source = randomIds(3, 7, "packed").data;
  const loss: LossFn = (b, model, { ids, rows, targets, weights, tokens }) => ({
    loss: crossEntropy(b, model.logprobsAt(ids!, rows!, targets!), weights!, tokens),
  });

  function apart() {
    const mask = new Float32Array(21);
    for (const [row, n] of lengths.entries()) mask.fill(1, row * 7 + 1, row * 7 + n);
    const ids = tensor(source, [3, 7]);
    return { ids, ...drop(supervisedRows(ids, tensor(mask, [3, 7]), 16)), tokens: 13 };
  }

  function together(T: number) {
    const [ids, segments, positions] = [new Int32Array(T), new Int32Array(T), new Int32Array(T)];
    const mask = new Float32Array(T);
    let at = 0;
    for (const [row, n] of lengths.entries()) {
      for (let t = 0; t < n; t++, at++) {
        ids[at] = source[row * 7 + t]!;
        segments[at] = row + 1;
        positions[at] = t;
        mask[at] = Number(t > 0);
      }
    }
    const shape = [1, T];
    return {
      ids: tensor(ids, shape),
      segment_ids: tensor(segments, shape),
      position_ids: tensor(positions, shape),
      ...drop(supervisedRows(tensor(ids, shape), tensor(mask, shape), 16)),
      tokens: 13,
    };
  }

  const drop = ({ rows, targets, weights }: ReturnType<typeof supervisedRows>) => ({
    rows,
    targets,
    weights,
  });

  test.each([16, 128, 256])("three examples in a row of %i train as three rows do", async (T) => {
    const config = { ...tinyConfig, max_position_embeddings: 256 };
    const [rows, row] = [open({ config, loss }), open({ config, loss })];
    const x = await rows.step(apart(), rate);
    const y = await row.step(together(T), rate);
    console.log(`packed to ${T}: loss ${y.loss} against ${x.loss}`);
    expect(y.loss).toBeCloseTo(x.loss, 5);
    expect(y.grad_norm).toBeCloseTo(x.grad_norm, 4);
    expect(worst(row.params(), rows.params())).toBeLessThan(1e-3);
  });

  test("without the segments, the examples see each other", async () => {
    const { segment_ids: _, position_ids: __, ...bare } = together(16);
    expect(
      Math.abs((await open({ loss }).evaluate(bare)).loss - (await open({ loss }).evaluate(apart())).loss),
    ).toBeGreaterThan(1e-3);
  });
});

describe("adapters", () => {
  const options = { r: 4, alpha: 8, target_modules: ["q_proj", "v_proj", "down_proj"] };
  function adapted(extra: Partial<TrainerOptions> = {}) {
    const base = tinyParams();
    const params = { ...base, ...initializeLora(base, options, stream("lora")) };
    return open({ params, trainable: isAdapter, lora: { alpha: options.alpha }, ...extra });
  }

  test("start as the base, train alone, and merged compute the same", async () => {
    const [trainer, plain] = [adapted(), open()];
    expect((await trainer.evaluate(batch(0))).loss).toBe((await plain.evaluate(batch(0))).loss);
    for (let i = 0; i < 5; i++) await trainer.step(batch(i), { learning_rate: 1e-2 });
    const base = tinyParams();
    for (const [name, { data }] of Object.entries(base)) expect(trainer.params()[name]!.data).toEqual(data);
    const merged = mergeLora(base, trainer.params(), options.alpha);
    const scorer = createScorer({ backend, config: tinyConfig, params: merged });
    const { data } = await scorer.logprobs(batch(0).ids);
    const mean = -data.reduce((sum, x) => sum + x, 0) / 24; // 3 rows of 8 predictions
    const { loss } = await trainer.evaluate(batch(0));
    expect(Math.abs(mean - loss)).toBeLessThan(1e-5);
    expect(Math.abs(loss - (await plain.evaluate(batch(0))).loss)).toBeGreaterThan(1e-2);
  });

  test("keep optimiser state for themselves only: 2 layers of (q 4·16+16·4, v 4·16+8·4, down 4·24+16·4) values", async () => {
    const { slots, params } = adapted().peek();
    const count = (p: Params) => Object.values(p).reduce((n, { data }) => n + data.length, 0);
    expect(count(params)).toBe(2 * (128 + 96 + 160));
    expect(count(slots.m!)).toBe(count(params));
  });

  test("merging adds alpha/r · B A", () => {
    const base = { "x.weight": tensor(Float32Array.of(1, 1, 1, 1), [2, 2]) };
    const lora = {
      "x.lora_A.weight": tensor(Float32Array.of(1, 2), [1, 2]),
      "x.lora_B.weight": tensor(Float32Array.of(3, 4), [2, 1]),
    };
    // alpha/r = 2: 1 + 2·[3,4]ᵀ[1,2] = [[7,13],[9,17]]
    expect([...mergeLora(base, lora, 2)["x.weight"]!.data]).toEqual([7, 13, 9, 17]);
  });

  test("a module that the model does not have is refused", () => {
    const wrong = { ...options, target_modules: ["query"] };
    expect(() => initializeLora(tinyParams(), wrong, stream(1))).toThrow('no linear layer "query"');
  });
});

test("the running average follows the weights and survives a restore", async () => {
  const make = () => open({ optimizer: sgd(), ema_decay: 0.5 });
  const trainer = make();
  const [before, name] = [tinyParams()["model.norm.weight"]!.data, "model.norm.weight"];
  await trainer.step(batch(0), { learning_rate: 0.1 });
  // e = 0.5·before + 0.5·after
  trainer.averaged()[name]!.data.forEach((x, i) => {
    expect(x).toBeCloseTo(0.5 * before[i]! + 0.5 * trainer.params()[name]!.data[i]!, 6);
  });
  const other = make();
  other.restore(trainer.state());
  for (const t of [trainer, other]) await t.step(batch(1), { learning_rate: 0.1 });
  expect(other.averaged()[name]!.data).toEqual(trainer.averaged()[name]!.data);
});
