// A reference that follows the policy in steps (TR-DPO, https://arxiv.org/abs/2404.09656).
import { type Backend, type Params, tensor } from "../../tensor/index.ts";
import type { OpenModel } from "./model.ts";
import { type Normalization, openScorer, type Scorer } from "./reference.ts";
import type { Session } from "./session.ts";

export interface MovingReference {
  readonly scorer: Scorer;
  /** To be awaited before every step: after every so many, π_ref ← mixup·π + (1 - mixup)·π_ref. */
  follow(step: number): Promise<void>;
  /** The weights of the reference, for checkpoints. */
  peek(): Params;
  restore(params: Params): void;
}

export function movingReference(
  backend: Backend,
  start: OpenModel,
  session: Session,
  options: {
    readonly every: number;
    readonly mixup: number;
    readonly size: number;
    readonly normalization: Normalization;
  },
): MovingReference {
  const { every, mixup } = options;
  let weights = start.params;
  return {
    scorer: openScorer(backend, start, { ...options, weights: () => weights }),
    async follow(step) {
      if (step === 0 || step % every !== 0) return;
      await session.trainer.settle();
      const policy = session.present();
      weights = Object.fromEntries(
        Object.entries(weights).map(([name, { shape, data }]) => {
          const towards = policy[name]!.data;
          return [
            name,
            tensor(
              data.map((x, i) => mixup * towards[i]! + (1 - mixup) * x),
              shape,
            ),
          ];
        }),
      );
    },
    peek: () => weights,
    restore(params) {
      weights = params;
    },
  };
}
