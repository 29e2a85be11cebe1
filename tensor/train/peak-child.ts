// Prints loss and peak resident memory in MiB of two steps of a model with large activations; run by recompute.test.ts.

import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { initialize } from "../models/config.ts";
import { sgd } from "../optim/sgd.ts";
import { stream } from "../random.ts";
import { createTrainer } from "./trainer.ts";

const [B, T] = [8, 256];
const config = {
  vocab_size: 64,
  hidden_size: 64,
  intermediate_size: 256,
  num_hidden_layers: 12,
  num_attention_heads: 8,
  max_position_embeddings: T,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
};
const random = stream("peak");
const ids = Int32Array.from({ length: B * T }, () => random.int(64));
const trainer = createTrainer({
  backend: await onnxBackend({ threads: 2 }),
  config,
  params: initialize(config, random.split("weights")),
  optimizer: sgd(),
  recompute: process.argv[2] === "recompute",
  loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
});
const batch = { ids: tensor(ids, [B, T]), mask: tensor(new Float32Array(B * T).fill(1), [B, T]) };
const before = process.resourceUsage().maxRSS / 1024;
const losses: number[] = [];
const start = performance.now();
for (let i = 0; i < 2; i++) losses.push((await trainer.step(batch, { learning_rate: 0.1 })).loss);
const seconds = (performance.now() - start) / 1000;
console.log(JSON.stringify({ losses, mib: process.resourceUsage().maxRSS / 1024 - before, seconds }));
