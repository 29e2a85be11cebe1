// Training throughput: one optimiser step of the quickstart's model, Align's ONNX backend against eager PyTorch.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import {
  adamw,
  Builder,
  createTrainer,
  crossEntropy,
  initialize,
  type LossFn,
  onnxBackend,
  stream,
  tensor,
  trainingCost,
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

/** The peers, in the words of the table. */
const peers = {
  lean: "torch, hand-written Llama",
  transformers: "torch, transformers",
  bf16: "torch, hand-written Llama, bf16 autocast",
};
type Arm = keyof typeof peers;

export async function* trainBench({ python, big, only = "" }: BenchOptions): AsyncIterable<BenchRow> {
  const arms: Arm[] = multipliesBf16() ? ["lean", "transformers", "bf16"] : ["lean", "transformers"];
  for (const shape of [...cases, ...(big ? [bigCase] : [])].filter(({ name }) => name.includes(only))) {
    const ours: number[] = [];
    const rates: number[] = [];
    const theirs: Record<Arm, number[]> = { lean: [], transformers: [], bf16: [] };
    // In turns, so that a slow minute of the machine hits both.
    for (let round = 0; round < rounds; round++) {
      rates.push(await productRate());
      ours.push(Math.min(...(await stepsOfAlign(shape))));
      for (const arm of arms) theirs[arm].push(Math.min(...(await stepsOfTorch(python, shape, arm))));
    }
    const rate = Math.max(...rates);
    const reached = flopsOfStep(shape) / Math.min(...ours) / 1e6;
    yield {
      name: `${shape.name}: products of a whole step`,
      peerName: "one large product alone: the share reached",
      ours: reached,
      peer: rate,
      ratio: reached / rate,
      unit: "GFLOP/s",
    };
    for (const arm of arms) {
      yield {
        name: shape.name,
        peerName: peers[arm],
        ours: median(ours),
        peer: median(theirs[arm]),
        ratio: median(theirs[arm].map((peer, round) => peer / ours[round]!)),
        unit: "ms/step",
      };
    }
  }
}

/** Whether the processor has instructions for it; without them torch's bf16 is no peer. */
function multipliesBf16(): boolean {
  try {
    return /avx512_bf16|amx_bf16/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

/** GFLOP/s of the fastest of ten products of two matrices of 1024 by 1024. */
async function productRate(): Promise<number> {
  const side = 1024;
  const b = new Builder();
  const product = b.matmul(b.input("x", [side, side]), b.input("y", [side, side]));
  const run = await (await onnxBackend({ threads })).compile(b.finish({ product }));
  const feeds = { x: new Float32Array(side ** 2).fill(1), y: new Float32Array(side ** 2).fill(1) };
  const times: number[] = [];
  for (let i = 0; i < 10; i++) {
    const start = performance.now();
    await run.run(feeds);
    times.push(performance.now() - start);
  }
  await run.dispose();
  return (2 * side ** 3) / Math.min(...times) / 1e6;
}

const backendFor = (shape: Case) => onnxBackend({ threads, memoryPattern: shape !== bigCase });

function configOf(shape: Case) {
  return {
    vocab_size: shape.vocab_size,
    hidden_size: shape.hidden_size,
    intermediate_size: shape.intermediate_size,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    max_position_embeddings: shape.length,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  };
}

const loss: LossFn = (b, model, { ids, mask }) => ({
  loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!),
});
const optimizer = adamw({ beta1: 0.9, beta2: 0.95, weight_decay: 0.1 });
const max_grad_norm = 1;

const flopsOfStep = (shape: Case): number =>
  trainingCost({ config: configOf(shape), loss, optimizer, max_grad_norm, batch: batchOf(shape), pieces: 1 })
    .flops;

function batchOf(shape: Case, random = stream("bench")) {
  const size = shape.batch * shape.length;
  return {
    ids: tensor(
      Int32Array.from({ length: size }, () => random.int(shape.vocab_size)),
      [shape.batch, shape.length],
    ),
    mask: tensor(
      Float32Array.from({ length: size }, (_, i) => (i % shape.length === 0 ? 0 : 1)),
      [shape.batch, shape.length],
    ),
  };
}

async function stepsOfAlign(shape: Case): Promise<number[]> {
  const config = configOf(shape);
  const random = stream("bench");
  const trainer = createTrainer({
    backend: await backendFor(shape),
    config,
    params: initialize(config, random.split("weights")),
    optimizer,
    max_grad_norm,
    loss,
  });
  const batch = batchOf(shape, random);
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
