// The training loop that pretrain, sft and dpo share: order of examples, schedule, steps, checkpoints, and what is reported.
import { join } from "node:path";
import { type OutputContext, type Progress, TaskError } from "../../engine/index.ts";
import {
  type Batch,
  type Params,
  type Schedule,
  schedule,
  stream,
  TensorError,
  type Trainer,
} from "../../tensor/index.ts";
import { loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
import type { TrainingParams } from "./params.ts";
import { type Best, openSelection } from "./selection.ts";

export interface LoopOptions {
  readonly ctx: OutputContext<TrainingParams>;
  readonly trainer: Trainer;
  /** Number of examples; batches are lists of their indices. */
  readonly examples: number;
  /**
   * The arrays of a piece of at most `micro_batch_size` examples of the batch `whole` of step number `step`. Losses of
   * pieces are added, so each divides by the count of the whole.
   */
  batch(piece: readonly number[], whole: readonly number[], step: number): Batch;
  /** Awaited before the pieces of step number `step` are made: what must be computed from the weights as they stand. */
  before?(whole: readonly number[], step: number): Promise<void>;
  /** Weights beside the trainer's that a run depends on; they are in its checkpoints. */
  readonly beside?: { peek(): Params; restore(params: Params): void };
  /** Tokens that a batch trains on, for the total. */
  tokens(indices: readonly number[], step: number): number;
  /** Metrics on held-out data, by the names that they are reported under. */
  evaluate?: () => Promise<Readonly<Record<string, number>>>;
}

export interface LoopResult {
  readonly steps: number;
  readonly tokens: number;
  /** Means over the last tenth of the steps. */
  readonly tail: Readonly<Record<string, number>>;
  /** Loss of step 0, before any update. */
  readonly first_loss: number;
  /** What `evaluate` gave of the weights that are kept: those after the last step, or of `best_step` with `select_by`. */
  readonly evaluated: Readonly<Record<string, number>>;
}

/** Where the loop stands, beside the trainer's state. */
interface Standing {
  readonly tokens: number;
  readonly first_loss: number;
  readonly tail: { readonly count: number; readonly sums: Readonly<Record<string, number>> };
  readonly best?: Best;
}

/** Where the weights beside the trainer's stand in a checkpoint. */
const BESIDE = "beside";
const BEST = "best";

export async function trainingLoop(options: LoopOptions): Promise<LoopResult> {
  const { ctx, trainer, examples } = options;
  const { params } = ctx;
  const { eval_every } = params;
  const steps = stepsOf(params, examples);
  const rate = scheduleOf(params, steps, params.learning_rate);
  const checkpoints = ctx.scratch === undefined ? undefined : join(ctx.scratch, "checkpoints");
  const resumed = checkpoints === undefined ? undefined : await loadCheckpoint<Standing>(checkpoints);
  if (resumed) {
    trainer.restore(resumed.state);
    options.beside?.restore(resumed.state.slots[BESIDE]!);
  }
  const tail = new Means(resumed?.standing.tail);
  let tokens = resumed?.standing.tokens ?? 0;
  let first_loss = resumed?.standing.first_loss ?? Number.NaN;
  const start = resumed?.state.step ?? 0;
  const order = batches(examples, params.batch_size, params.seed);
  for (let step = 0; step < start; step++) order.next();

  const epoch = Math.ceil(examples / params.batch_size);
  const found = resumed?.standing.best;
  const selection =
    params.select_by === undefined
      ? undefined
      : openSelection({
          trainer,
          metric: params.select_by,
          epoch,
          before: found && { best: found, weights: resumed.state.slots[BEST]! },
        });
  let saved = performance.now();
  const save = async () => {
    if (checkpoints === undefined) return;
    const best = selection?.best;
    const standing: Standing = { tokens, first_loss, tail: tail.state(), ...(best && { best }) };
    await trainer.settle();
    const { slots, ...state } = trainer.peek();
    const beside = options.beside && { [BESIDE]: options.beside.peek() };
    const kept = best && { [BEST]: selection!.weights! };
    await saveCheckpoint(checkpoints, { ...state, slots: { ...slots, ...beside, ...kept } }, standing);
    saved = performance.now();
  };

  let evaluated: Readonly<Record<string, number>> = {};
  const evaluate = async (step: number) => {
    try {
      return await options.evaluate!();
    } catch (error) {
      // Who is stopped while it measures keeps the steps before; after the last there is the measuring still to do.
      if (ctx.signal.aborted && step < steps) await save();
      throw error;
    }
  };
  ctx.progress({ done: start, total: steps, unit: "steps" });
  if (options.evaluate && eval_every !== undefined && start === 0) {
    ctx.progress({ done: 0, total: steps, unit: "steps", metrics: await evaluate(0) });
  }
  // Who was stopped while it measured an epoch has not shown it; shown twice is shown once.
  if (start > 0 && selection?.due(start)) await selection.show(start, await evaluate(start));
  /** How many steps may be taken before anybody looks. */
  const together = (step: number) =>
    options.before
      ? 1
      : Math.min(
          params.steps_per_run,
          steps - step,
          eval_every === undefined ? steps : eval_every - (step % eval_every),
          selection === undefined ? steps : epoch - (step % epoch),
        );
  for (let step = start; step < steps; ) {
    const chosen = Array.from({ length: together(step) }, () => order.next().value);
    for (const indices of chosen) await options.before?.(indices, step);
    const planned = chosen.map((indices, i) => ({
      batch: chunks(indices, params.micro_batch_size ?? indices.length).map((piece) =>
        options.batch(piece, indices, step + i),
      ),
      learning_rate: rate(step + i),
    }));
    const results = await trainer.steps(planned).catch((error: unknown) => {
      if (error instanceof TensorError && error.code === "diverged")
        throw diverged(step, error.message, planned[0]!.learning_rate);
      throw error;
    });
    for (const [i, { loss, grad_norm, metrics }] of results.entries()) {
      if (step === 0) first_loss = loss;
      if (step >= Math.floor(0.9 * steps)) tail.add({ loss, ...metrics });
      tokens += options.tokens(chosen[i]!, step);
      step++;
      const due = eval_every !== undefined && step % eval_every === 0;
      const shown = selection !== undefined && (selection.due(step) || step === steps);
      const evaluating = options.evaluate !== undefined && (due || shown || step === steps);
      if (evaluating) evaluated = await evaluate(step);
      if (shown) await selection.show(step, evaluated);
      const { learning_rate } = planned[i]!;
      ctx.progress({
        done: step,
        total: steps,
        unit: "steps",
        metrics: { loss, ...metrics, ...(evaluating && evaluated), learning_rate, grad_norm, tokens },
      });
    }
    await breathe();
    const elapsed = (performance.now() - saved) / 1000;
    if (step < steps && (ctx.signal.aborted || elapsed >= params.checkpoint_every)) await save();
    ctx.signal.throwIfAborted();
  }
  await trainer.settle();
  if (selection) {
    const { step: best_step } = selection.best!;
    if (best_step < steps) {
      selection.restore();
      evaluated = await evaluate(steps);
    }
    evaluated = { ...evaluated, best_step };
  }
  return { steps, tokens, tail: tail.means(), first_loss, evaluated };
}

type Extent = Pick<TrainingParams, "steps" | "batch_size"> & { readonly epochs?: number };

/** Optimiser steps over so many examples. */
export function stepsOf({ steps, epochs = 1, batch_size }: Extent, examples: number): number {
  return steps ?? Math.max(1, Math.ceil((examples * epochs) / batch_size));
}

/** The learning rates of a run of so many steps. */
export const scheduleOf = (params: Scheduled, steps: number, peak: number): Schedule =>
  schedule({
    kind: params.schedule,
    peak,
    steps,
    warmup: params.warmup_steps ?? Math.round(params.warmup * steps),
    floor: params.final_learning_rate,
  });

type Scheduled = Pick<TrainingParams, "schedule" | "warmup" | "warmup_steps" | "final_learning_rate">;

/** The examples that some batch of a run has, in the order of the dataset: all, unless its steps are over before. */
export function drawn(params: Extent & { readonly seed: number }, examples: number): number[] {
  const order = batches(examples, params.batch_size, params.seed);
  const seen = new Set<number>();
  for (let left = stepsOf(params, examples); left > 0 && seen.size < examples; left--) {
    for (const index of order.next().value) seen.add(index);
  }
  return [...seen].sort((a, b) => a - b);
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

export function chunks<T>(items: readonly T[], size: number): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** Sums of losses and metrics over held-out examples, `size` at a time; each batch divides by the count of the whole. */
export async function evaluateAll(
  { ctx, trainer, examples, size }: Held,
  batch: (piece: readonly number[]) => Batch,
): Promise<Record<string, number>> {
  const sums: Record<string, number> = {};
  let done = 0;
  for (const piece of chunks([...Array(examples).keys()], size)) {
    const { loss, metrics } = await trainer.evaluate(batch(piece));
    for (const [name, x] of Object.entries({ loss, ...metrics })) sums[name] = (sums[name] ?? 0) + x;
    done += piece.length;
    await tell(ctx, { done, total: examples, unit: "held-out examples" });
  }
  return sums;
}

interface Held {
  readonly ctx: Listener;
  readonly trainer: Trainer;
  readonly examples: number;
  readonly size: number;
}

/** Who hears how far something long is, and may stop it. */
export type Listener = Pick<OutputContext<unknown>, "progress" | "signal">;

export async function tell({ progress, signal }: Listener, how: Progress): Promise<void> {
  progress(how);
  await breathe();
  signal.throwIfAborted();
}

/** Lets messages in (a run blocks the event loop) between two steps. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function diverged(step: number, what: string, learning_rate: number): TaskError {
  return new TaskError({
    code: "diverged",
    message: `the training diverged at step ${step + 1} (learning rate ${learning_rate.toPrecision(3)}): ${what.split("\n")[0]}`,
    help: "lower learning_rate, lengthen warmup, or look at the data around this batch",
  });
}

/** Running means by name. */
class Means {
  readonly #sums: Map<string, number>;
  #count: number;

  constructor({ count, sums }: Standing["tail"] = { count: 0, sums: {} }) {
    this.#sums = new Map(Object.entries(sums));
    this.#count = count;
  }

  add(values: Readonly<Record<string, number>>): void {
    this.#count++;
    for (const [name, value] of Object.entries(values))
      this.#sums.set(name, (this.#sums.get(name) ?? 0) + value);
  }

  means(): Record<string, number> {
    return Object.fromEntries([...this.#sums].map(([name, sum]) => [name, sum / this.#count]));
  }

  state(): Standing["tail"] {
    return { count: this.#count, sums: Object.fromEntries(this.#sums) };
  }
}
