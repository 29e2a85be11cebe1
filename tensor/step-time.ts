// How long a training step takes on a backend, to tell which of several is worth using.

import type { Backend } from "./backends/backend.ts";
import { tensor } from "./host.ts";
import { Builder } from "./ir/builder.ts";
import { crossEntropy } from "./loss/cross-entropy.ts";
import { initialize, type LlamaConfig } from "./models/config.ts";
import { adamw } from "./optim/adamw.ts";
import { stream } from "./random.ts";
import { trainingCost } from "./train/estimate.ts";
import { createTrainer, type LossFn } from "./train/trainer.ts";

// 2.3 M parameters and 512 tokens: some 7 GFLOP a step, enough that a GPU is not judged by its latency.
const config: LlamaConfig = {
  vocab_size: 512,
  hidden_size: 256,
  intermediate_size: 768,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 4,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  initializer_range: 0.02,
};
const [rows, length] = [4, 128];
const loss: LossFn = (b, model, { ids, mask }) => ({
  loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!),
});

/** Milliseconds of the fastest of three steps after a first one; undefined for what is far too slow to train on. */
export async function stepTime(backend: Backend): Promise<number | undefined> {
  if ((await productTime(backend, 256, 256)) > HOPELESS) return undefined;
  const random = stream("step time");
  const trainer = createTrainer({
    backend,
    config,
    params: initialize(config, random.split("weights")),
    optimizer: adamw({ weight_decay: 0.1 }),
    loss,
  });
  const n = rows * length;
  const ids = tensor(
    Int32Array.from({ length: n }, () => random.int(config.vocab_size)),
    [rows, length],
  );
  const mask = tensor(new Float32Array(n).fill(1), [rows, length]);
  const time = await fastest(() => trainer.step({ ids, mask }, { learning_rate: 1e-3 }));
  await trainer.dispose();
  return time;
}

/** What the machine does per second: floating point operations in training, and bytes of weights read in decoding. */
export async function machineRates(backend: Backend): Promise<{ flops: number; bandwidth: number }> {
  const milliseconds = await stepTime(backend);
  const batch = {
    ids: tensor(new Int32Array(rows * length), [rows, length]),
    mask: tensor(new Float32Array(rows * length), [rows, length]),
  };
  const { flops } = trainingCost({ config, loss, optimizer: adamw({ weight_decay: 0.1 }), batch, pieces: 1 });
  return {
    flops: milliseconds === undefined ? 1e9 : (1000 * flops) / milliseconds,
    bandwidth: (1000 * 4 * WIDE ** 2) / (await productTime(backend, 1, WIDE)),
  };
}

/** A matrix of 64 MiB does not fit a cache. */
const WIDE = 4096;

/** Of one product of 256 by 256 matrices, 34 MFLOP: a fraction of a millisecond on one core, minutes a step at more than this. */
const HOPELESS = 20;

/** Milliseconds of [rows,width]·[width,width]. */
async function productTime(backend: Backend, rows: number, width: number): Promise<number> {
  const b = new Builder();
  const [x, y] = [b.input("x", [rows, width]), b.input("y", [width, width])];
  const product = await backend.compile(b.finish({ z: b.matmul(x, y) }));
  const ones = (n: number) => new Float32Array(n).fill(1);
  const feeds = { x: ones(rows * width), y: ones(width ** 2) };
  const time = await fastest(() => product.run(feeds));
  await product.dispose();
  return time;
}

async function fastest(work: () => Promise<unknown>): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < 4; turn++) {
    const started = performance.now();
    await work();
    if (turn > 0) least = Math.min(least, performance.now() - started);
  }
  return least;
}
