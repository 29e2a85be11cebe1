// Training throughput: one optimiser step of the quickstart's model, Align's ONNX backend against eager PyTorch.
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import {
  adamw,
  createTrainer,
  crossEntropy,
  initialize,
  onnxBackend,
  stream,
  tensor,
} from "../tensor/index.ts";
import type { BenchOptions, BenchRow } from "./main.ts";

interface Case {
  readonly name: string;
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly heads: number;
  readonly intermediate_size: number;
  readonly layers: number;
  readonly batch: number;
  readonly length: number;
  /** Of one round, when the usual number takes too long. */
  readonly steps?: number;
}

/** The shapes of examples/quickstart/quickstart.align, and a wider one. */
const quickstart = { vocab_size: 1024, hidden_size: 128, heads: 4, intermediate_size: 384, layers: 3 };
const cases: readonly Case[] = [
  { name: "quickstart pretrain 8x64", ...quickstart, batch: 8, length: 64 },
  { name: "quickstart sft 32x64", ...quickstart, batch: 32, length: 64 },
  { name: "quickstart dpo 128x48", ...quickstart, batch: 128, length: 48 },
  {
    name: "2M parameters 16x128",
    vocab_size: 2048,
    hidden_size: 192,
    heads: 6,
    intermediate_size: 512,
    layers: 4,
    batch: 16,
    length: 128,
  },
  {
    name: "4M parameters 8x128",
    vocab_size: 4096,
    hidden_size: 256,
    heads: 8,
    intermediate_size: 704,
    layers: 4,
    batch: 8,
    length: 128,
  },
];
/** The shapes of SmolLM2-135M, heads of equal number aside. */
const bigCase: Case = {
  name: "135M parameters 4x512",
  vocab_size: 49152,
  hidden_size: 576,
  heads: 9,
  intermediate_size: 1536,
  layers: 30,
  batch: 4,
  length: 512,
  steps: 2,
};

const threads = 2;
const rounds = 3;
const warmup = 3;
/** Steps of one round: about a second. */
const usualSteps = 10;

export async function* trainBench({ python, big }: BenchOptions): AsyncIterable<BenchRow> {
  for (const shape of big ? [...cases, bigCase] : cases) {
    const arms = ["lean", "transformers"] as const;
    const ours: number[] = [];
    const theirs = { lean: [] as number[], transformers: [] as number[] };
    // In turns, so that a slow minute of the machine hits both.
    for (let round = 0; round < rounds; round++) {
      ours.push(Math.min(...(await stepsOfAlign(shape))));
      for (const arm of arms) theirs[arm].push(Math.min(...(await stepsOfTorch(python, shape, arm))));
    }
    for (const arm of arms) {
      yield {
        name: shape.name,
        peerName: arm === "lean" ? "torch, hand-written Llama" : "torch, transformers",
        ours: median(ours),
        peer: median(theirs[arm]),
        ratio: median(theirs[arm].map((peer, round) => peer / ours[round]!)),
        unit: "ms/step",
      };
    }
  }
}

async function stepsOfAlign(shape: Case): Promise<number[]> {
  const config = {
    vocab_size: shape.vocab_size,
    hidden_size: shape.hidden_size,
    intermediate_size: shape.intermediate_size,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    max_position_embeddings: shape.length,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  };
  const random = stream("bench");
  const trainer = createTrainer({
    backend: await onnxBackend({ threads, memoryPattern: shape !== bigCase }),
    config,
    params: initialize(config, random.split("weights")),
    optimizer: adamw({ beta1: 0.9, beta2: 0.95, weight_decay: 0.1 }),
    max_grad_norm: 1,
    loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
  });
  const size = shape.batch * shape.length;
  const batch = {
    ids: tensor(
      Int32Array.from({ length: size }, () => random.int(shape.vocab_size)),
      [shape.batch, shape.length],
    ),
    mask: tensor(
      Float32Array.from({ length: size }, (_, i) => (i % shape.length === 0 ? 0 : 1)),
      [shape.batch, shape.length],
    ),
  };
  const times: number[] = [];
  const { steps = usualSteps } = shape;
  for (let step = 0; step < warmup + steps; step++) {
    const start = performance.now();
    await trainer.step(batch, { learning_rate: 1e-3 });
    if (step >= warmup) times.push(performance.now() - start);
  }
  await trainer.dispose();
  return times;
}

async function stepsOfTorch(python: string, shape: Case, arm: string): Promise<number[]> {
  const script = fileURLToPath(new URL("./train_torch.py", import.meta.url));
  const { stdout } = await execa(python, [script], {
    input: `${JSON.stringify({ steps: usualSteps, ...shape, arm, threads, warmup })}\n`,
    stderr: "ignore",
  });
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { ms: number });
  return lines.slice(warmup).map(({ ms }) => ms);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
