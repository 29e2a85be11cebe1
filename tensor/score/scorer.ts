// Scores given texts: per-token log-probabilities, and the exact divergence from a reference model.

import type { Backend } from "../backends/backend.ts";
import { TensorError } from "../error.ts";
import type { HostTensor } from "../host.ts";
import { sequenceLogprobs } from "../loss/cross-entropy.ts";
import { fullKl } from "../loss/kl.ts";
import { createEvaluator, type ModelSource } from "./evaluator.ts";

export interface ScorerOptions extends ModelSource {
  readonly backend: Backend;
  /** Only kl() needs it. */
  readonly reference?: ModelSource;
}

export interface Scorer {
  /** Right-padded ids [B,T] → log p(ids[t] | ids[<t]) in nats [B,T], 0 at t = 0. Padding is scored too: mask it. */
  logprobs(ids: HostTensor<Int32Array>): Promise<HostTensor<Float32Array>>;
  /**
   * ids [B,T], mask [B,T] → log-probability of the masked tokens per sequence in nats, [B]: the same bits as a training
   * graph computes from equal weights, so that DPO starts at exactly zero margin.
   */
  sequenceLogprobs(
    ids: HostTensor<Int32Array>,
    mask: HostTensor<Float32Array>,
  ): Promise<HostTensor<Float32Array>>;
  /** ids [B,T], mask [B,T] of response tokens → Σ over them of KL(π‖π_ref) over the whole vocabulary, in nats, [B]. */
  kl(ids: HostTensor<Int32Array>, mask: HostTensor<Float32Array>): Promise<HostTensor<Float32Array>>;
  dispose(): Promise<void>;
}

export function createScorer({ backend, config, params, reference }: ScorerOptions): Scorer {
  const policy: ModelSource = { config, params };
  const logprobs = createEvaluator({
    backend,
    models: { policy },
    build: (_b, models, { ids }) => ({ logprobs: models.policy!.tokenLogprobs(ids!) }),
  });
  const sums = createEvaluator({
    backend,
    models: { policy },
    build: (b, models, { ids, mask }) => ({
      sums: sequenceLogprobs(b, models.policy!.tokenLogprobs(ids!), mask!),
    }),
  });
  const kl =
    reference &&
    createEvaluator({
      backend,
      models: { policy, reference },
      build: (b, models, { ids, mask }) => {
        const [B, T] = ids!.shape as [number, number];
        const p = models.policy!.nextTokenLogprobs(ids!).all;
        const q = models.reference!.nextTokenLogprobs(ids!).all;
        // Row t-1 of the distributions is the one that token t was drawn from.
        const perToken = b.reshape(fullKl(b, p, q), [B, T - 1]);
        return { kl: sequenceLogprobs(b, perToken, b.slice(mask!, 1, 1, T)) };
      },
    });
  return {
    async logprobs(ids) {
      return (await logprobs.run({ ids })).logprobs as HostTensor<Float32Array>;
    },
    async sequenceLogprobs(ids, mask) {
      return (await sums.run({ ids, mask })).sums as HostTensor<Float32Array>;
    },
    async kl(ids, mask) {
      if (!kl)
        throw new TensorError("missing", "kl needs a reference model", "createScorer({ …, reference })");
      return (await kl.run({ ids, mask })).kl as HostTensor<Float32Array>;
    },
    async dispose() {
      await logprobs.dispose();
      await sums.dispose();
      await kl?.dispose();
    },
  };
}
