// Three training steps of a tiny model on a backend, held against the reference: does this machine compute what it should?

import type { Backend } from "./backends/backend.ts";
import { referenceBackend } from "./backends/reference/index.ts";
import { tensor } from "./host.ts";
import { crossEntropy } from "./loss/cross-entropy.ts";
import { initialize, type LlamaConfig } from "./models/config.ts";
import { adamw } from "./optim/adamw.ts";
import { type Random, stream } from "./random.ts";
import { createTrainer } from "./train/trainer.ts";

export interface SelfCheck {
  readonly ok: boolean;
  /** Largest difference of a loss, relative. */
  readonly lossError: number;
  /** Largest difference of a weight after the last step, relative to the largest weight of its tensor. */
  readonly weightError: number;
  /** What was allowed. */
  readonly tolerance: number;
}

const config: LlamaConfig = {
  vocab_size: 32,
  hidden_size: 16,
  intermediate_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 16,
  rms_norm_eps: 1e-5,
  tie_word_embeddings: true,
  // Large enough that the steps move the weights by more than rounding.
  initializer_range: 0.2,
};
const [rows, length] = [4, 16];

/** fp32 against float64 accumulation; what was measured on a sound machine is about 1e-6. */
const tolerance = 1e-4;

export interface SelfCheckOptions {
  /** Default 3. */
  readonly steps?: number;
  /** Whose numbers are right; default the reference. */
  readonly against?: Backend;
}

export async function selfcheck(
  backend: Backend,
  { steps = 3, against = referenceBackend() }: SelfCheckOptions = {},
): Promise<SelfCheck> {
  const ours = await train(backend, steps);
  const reference = await train(against, steps);
  const lossError = Math.max(
    ...ours.losses.map((loss, i) => relative(loss, reference.losses[i]!, reference.losses[i]!)),
  );
  let weightError = 0;
  for (const [name, { data }] of Object.entries(reference.params)) {
    const largest = data.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    data.forEach((x, i) => {
      weightError = Math.max(weightError, relative(ours.params[name]!.data[i]!, x, largest));
    });
  }
  return { ok: lossError <= tolerance && weightError <= tolerance, lossError, weightError, tolerance };
}

async function train(backend: Backend, steps: number) {
  const random = stream("selfcheck");
  const trainer = createTrainer({
    backend,
    config,
    params: initialize(config, random.split("weights")),
    optimizer: adamw({ weight_decay: 0.1 }),
    max_grad_norm: 1,
    loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
  });
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const { loss } = await trainer.step(batch(random.split(step)), { learning_rate: 1e-2 });
    losses.push(loss);
  }
  await trainer.settle();
  const { params } = trainer.state();
  await trainer.dispose();
  return { losses, params };
}

function batch(random: Random) {
  const ids = Int32Array.from({ length: rows * length }, () => random.int(config.vocab_size));
  const mask = Float32Array.from({ length: rows * length }, (_, i) => (i % length === 0 ? 0 : 1));
  return { ids: tensor(ids, [rows, length]), mask: tensor(mask, [rows, length]) };
}

function relative(a: number, b: number, scale: number): number {
  const difference = Math.abs(a - b) / Math.max(Math.abs(scale), 1e-12);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}
