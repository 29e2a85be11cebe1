// A reference that follows the policy in steps (TR-DPO, https://arxiv.org/abs/2404.09656).
import { TaskError } from "../../engine/index.ts";
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

/** `start` is where it begins, `policy` where the session began. */
export function movingReference(
  backend: Backend,
  { start, policy }: { readonly start: OpenModel; readonly policy: OpenModel },
  session: Session,
  options: {
    readonly every: number;
    readonly mixup: number;
    readonly size: number;
    readonly normalization: Normalization;
  },
): MovingReference {
  const { every, mixup } = options;
  checkSameWeights(start, policy);
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

function checkSameWeights(start: OpenModel, policy: OpenModel): void {
  for (const [name, { shape }] of Object.entries(start.params)) {
    const own = policy.params[name]?.shape;
    if (own?.join() === shape.join()) continue;
    throw new TaskError({
      code: "reference-cannot-follow",
      message: `the reference cannot follow the policy: its ${name} is [${shape}], ${own ? `the policy's is [${own}]` : "the policy has none"}`,
      help: "give a reference of the policy's architecture and size, or leave sync_reference_every out",
    });
  }
}
