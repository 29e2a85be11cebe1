// The training loop that pretrain, sft and dpo share: order of examples, schedule, steps, and what is reported.
import { type OutputContext, TaskError } from "../../engine/index.ts";
import { adamw, type Batch, type Optimizer, schedule, stream, type Trainer } from "../../tensor/index.ts";
import type { TrainingParams } from "./params.ts";

export interface LoopOptions {
  readonly ctx: OutputContext<TrainingParams>;
  readonly trainer: Trainer;
  /** Number of examples; batches are lists of their indices. */
  readonly examples: number;
  batch(indices: readonly number[]): Batch;
  /** Tokens that a batch trains on, for the total. */
  tokens(indices: readonly number[]): number;
}

export interface LoopResult {
  readonly steps: number;
  readonly tokens: number;
  /** Means over the last tenth of the steps. */
  readonly tail: Readonly<Record<string, number>>;
  /** Loss of step 0, before any update. */
  readonly first_loss: number;
}

export async function trainingLoop(options: LoopOptions): Promise<LoopResult> {
  const { ctx, trainer, examples } = options;
  const { params } = ctx;
  const steps = params.steps ?? Math.max(1, Math.ceil((examples * params.epochs) / params.batch_size));
  const rate = schedule({
    kind: params.schedule,
    peak: params.learning_rate,
    steps,
    warmup: Math.round(params.warmup * steps),
    floor: params.final_learning_rate,
  });
  const order = batches(examples, params.batch_size, params.seed);
  const tail = new Means();
  let tokens = 0;
  let first_loss = Number.NaN;
  ctx.progress({ done: 0, total: steps, unit: "steps" });

  for (let step = 0; step < steps; step++) {
    const indices = order.next().value;
    const learning_rate = rate(step);
    const { loss, grad_norm, metrics } = await trainer.step(options.batch(indices), { learning_rate });
    if (!Number.isFinite(loss) || !Number.isFinite(grad_norm)) throw diverged(step, loss, learning_rate);
    if (step === 0) first_loss = loss;
    if (step >= Math.floor(0.9 * steps)) tail.add({ loss, ...metrics });
    tokens += options.tokens(indices);
    ctx.progress({
      done: step + 1,
      total: steps,
      unit: "steps",
      metrics: { loss, ...metrics, learning_rate, grad_norm, tokens },
    });
    await breathe();
    ctx.signal.throwIfAborted();
  }
  return { steps, tokens, tail: tail.means(), first_loss };
}

export function optimizerOf(params: TrainingParams): Optimizer {
  return adamw({
    beta1: params.adam_beta1,
    beta2: params.adam_beta2,
    eps: params.adam_epsilon,
    weight_decay: params.weight_decay,
  });
}

/**
 * Batches without end: every epoch is a fresh permutation from a stream of its own, its last batch may be
 * short. Which examples step n sees depends only on the seed, the count and the batch size.
 */
export function* batches(examples: number, size: number, seed: number): Generator<readonly number[], never> {
  const random = stream(seed).split("order");
  for (let epoch = 0; ; epoch++) {
    const order = random.split(epoch).permutation(examples);
    for (let at = 0; at < order.length; at += size) yield order.slice(at, at + size);
  }
}

/** Lets messages in (a run blocks the event loop) between two steps. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function diverged(step: number, loss: number, learning_rate: number): TaskError {
  return new TaskError({
    code: "diverged",
    message: `the loss became ${loss} at step ${step} (learning rate ${learning_rate.toPrecision(3)})`,
    help: "lower learning_rate, lengthen warmup, or look at the data around this batch",
  });
}

class Means {
  readonly #sums = new Map<string, number>();
  #count = 0;

  add(values: Readonly<Record<string, number>>): void {
    this.#count++;
    for (const [name, value] of Object.entries(values))
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
  }

  means(): Record<string, number> {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#count]));
  }
}
