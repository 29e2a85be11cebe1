// Prints the hash of the weights after twenty steps, for a family and a number of threads; run by processes.test.ts.

import { createHash } from "node:crypto";
import { onnxBackend } from "../backends/onnx/index.ts";
import { tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { initialize, type ModelConfig } from "../models/config.ts";
import { adamw } from "../optim/adamw.ts";
import { stream } from "../random.ts";
import { createTrainer } from "./trainer.ts";

// Large enough that the threads share every product of matrices.
const [B, T, vocab_size] = [8, 64, 1024];
const sizes: Record<string, ModelConfig> = {
  llama: {
    vocab_size,
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 2,
    num_attention_heads: 6,
    num_key_value_heads: 2,
    max_position_embeddings: T,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  },
  gpt2: {
    model_type: "gpt2",
    vocab_size,
    n_embd: 192,
    n_inner: 512,
    n_layer: 2,
    n_head: 6,
    n_positions: T,
    layer_norm_epsilon: 1e-5,
  },
};

const [family, threads] = process.argv.slice(2);
const config = sizes[family!]!;
const random = stream("processes");
const trainer = createTrainer({
  backend: await onnxBackend({ threads: Number(threads) }),
  config,
  params: initialize(config, random.split("weights")),
  optimizer: adamw({ weight_decay: 0.1 }),
  max_grad_norm: 1,
  residual_dropout: { p: 0.1 },
  loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
});
const rows = random.split("rows");
const losses: number[] = [];
for (let step = 0; step < 20; step++) {
  const ids = Int32Array.from({ length: B * T }, () => rows.int(vocab_size));
  const batch = { ids: tensor(ids, [B, T]), mask: tensor(new Float32Array(B * T).fill(1), [B, T]) };
  losses.push((await trainer.step(batch, { learning_rate: 1e-3 })).loss);
}
const hash = createHash("sha256");
for (const [name, { data }] of Object.entries(trainer.params())) hash.update(name).update(data);
console.log(JSON.stringify({ hash: hash.digest("hex"), first: losses[0], last: losses.at(-1) }));
