// The estimate of a session's memory against the process that then runs it, and of its operations against the textbook.

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { parameterCount } from "../models/config.ts";
import { adamw } from "../optim/adamw.ts";
import { trainingCost } from "./estimate.ts";
import type { LossFn } from "./trainer.ts";

const child = fileURLToPath(new URL("estimate-child.ts", import.meta.url));

test.each(["small", "adapters"])("what a process holds is within 1.3 times the estimate: %s", (name) => {
  const said = execFileSync(process.execPath, ["--import", "tsx", child, name], { encoding: "utf8" });
  const { estimated, held } = JSON.parse(said) as { estimated: number; held: number };
  console.log(`${name}: estimated ${estimated.toFixed(0)} MiB, held ${held.toFixed(0)} MiB`);
  expect(held / estimated).toBeGreaterThan(1 / 1.3);
  expect(held / estimated).toBeLessThan(1.3);
});

const config = {
  vocab_size: 512,
  hidden_size: 256,
  intermediate_size: 1024,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
const loss: LossFn = (b, model, { ids, mask }) => ({
  loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!),
});
const batchOf = (B: number) => ({
  ids: tensor(new Int32Array(B * 64), [B, 64]),
  mask: tensor(new Float32Array(B * 64), [B, 64]),
});
const cost = (B: number, pieces = 1, recompute = false) =>
  trainingCost({ config, loss, optimizer: adamw(), batch: batchOf(B), pieces, recompute });

test("a step costs six operations per weight and token, and attention a little more", () => {
  const [B, T] = [8, 64];
  const attention = 3 * 4 * config.num_hidden_layers * B * T * T * config.hidden_size; // forward 4·T²·D per layer and row, backward twice that
  // Norm gains take part in no product: two per layer and the last, of 256 each.
  const inProducts = parameterCount(config) - 9 * 256;
  expect(cost(B).flops / (6 * inProducts * B * T + attention)).toBeCloseTo(1, 2);
});

test("pieces cost together what the whole costs, and hold less", () => {
  const [whole, pieces] = [cost(8), cost(2, 4)];
  expect(pieces.flops).toBe(whole.flops);
  expect(pieces.memory).toBeLessThan(whole.memory);
});

test("recomputation trades a third more operations for memory", () => {
  const [plain, twice] = [cost(8), cost(8, 1, true)];
  expect(twice.flops / plain.flops).toBeGreaterThan(1.2);
  expect(twice.flops / plain.flops).toBeLessThan(1.34);
  expect(twice.memory).toBeLessThan(plain.memory);
});
