// Keeps the weights of the epoch after which the held-out data was followed best, as `select_by` asks.
import { EMA, type Params, type Trainer, tensor } from "../../tensor/index.ts";

/** Where it stands, beside the weights. */
export interface Best {
  readonly step: number;
  readonly value: number;
}

export interface Selection {
  /** Whether an epoch ends with step number `step`, which is when it wants to be shown. */
  due(step: number): boolean;
  /** Remembers the weights as they are if nothing before was better; of equals the earlier is kept. */
  show(step: number, evaluated: Readonly<Record<string, number>>): Promise<void>;
  readonly best: Best | undefined;
  /** Of the best; what is frozen is not among them. */
  readonly weights: Params | undefined;
  /** Puts them back into the trainer, whose moments are then of no use. */
  restore(): void;
}

export interface SelectionOptions {
  readonly trainer: Trainer;
  /** What is looked at: a loss is better when it is lower, everything else when it is higher. */
  readonly metric: string;
  /** Steps of an epoch. */
  readonly epoch: number;
  /** From a checkpoint. */
  readonly before?: { readonly best: Best; readonly weights: Params } | undefined;
}

export function openSelection({ trainer, metric, epoch, before }: SelectionOptions): Selection {
  let { best, weights } = before ?? {};
  const better = (value: number) =>
    best === undefined ||
    Number.isNaN(best.value) ||
    (metric.endsWith("loss") ? value < best.value : value > best.value);
  return {
    due: (step) => step % epoch === 0,
    async show(step, evaluated) {
      const value = evaluated[metric]!;
      if (!better(value)) return;
      await trainer.settle();
      best = { step, value };
      weights = copied(trainer.averaged(), Object.keys(trainer.peek().params));
    },
    get best() {
      return best;
    },
    get weights() {
      return weights;
    },
    restore() {
      const { slots, ...state } = trainer.peek();
      const averages = EMA in slots ? { [EMA]: weights! } : {};
      trainer.restore({ ...state, params: weights!, slots: { ...slots, ...averages } });
    },
  };
}

const copied = (params: Params, names: readonly string[]): Params =>
  Object.fromEntries(
    names.map((name) => {
      const { data, shape } = params[name]!;
      return [name, tensor(Float32Array.from(data), shape)];
    }),
  );
