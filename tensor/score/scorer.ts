// Scores given texts: per-token log-probabilities, and the exact divergence from a reference model.

import type { Backend } from "../backends/backend.ts";
import { TensorError } from "../error.ts";
import type { HostTensor } from "../host.ts";
import { sequenceLogprobs } from "../loss/cross-entropy.ts";
import { fullKl } from "../loss/kl.ts";
import type { Geometry } from "../models/architecture.ts";
import { geometry } from "../models/config.ts";
import { type Model, sourceOf } from "../models/model.ts";
import { createEvaluator, type ModelSource } from "./evaluator.ts";

export interface ScorerOptions extends ModelSource {
  readonly backend: Backend;
  /** Only kl() needs it. */
  readonly reference?: ModelSource;
}

/** The input of an encoder, padded: ids [B,S] and mask [B,S]. */
export interface SourceBatch {
  readonly ids: HostTensor<Int32Array>;
  readonly mask: HostTensor<Float32Array>;
}

/** Of an encoder-decoder model every method wants the source too, and its ids begin with the decoder's start token. */
export interface Scorer {
  readonly geometry: Geometry;
  /** Right-padded ids [B,T] → log p(ids[t] | ids[<t]) in nats [B,T], 0 at t = 0. Padding is scored too: mask it. */
  logprobs(ids: HostTensor<Int32Array>, source?: SourceBatch): Promise<HostTensor<Float32Array>>;
  /**
   * Only some predictions, which saves the work on the others: rows [R] into the B·T positions, and the tokens [R] that each may predict →
   * log-probabilities in nats, [R].
   */
  logprobsAt(
    ids: HostTensor<Int32Array>,
    rows: HostTensor<Int32Array>,
    targets: HostTensor<Int32Array>,
    source?: SourceBatch,
  ): Promise<HostTensor<Float32Array>>;
  /**
   * ids [B,T], mask [B,T] → log-probability of the masked tokens per sequence in nats, [B]: the same bits as a training
   * graph computes from equal weights, so that DPO starts at exactly zero margin.
   */
  sequenceLogprobs(
    ids: HostTensor<Int32Array>,
    mask: HostTensor<Float32Array>,
    source?: SourceBatch,
  ): Promise<HostTensor<Float32Array>>;
  /** ids [B,T], mask [B,T] of response tokens → Σ over them of KL(π‖π_ref) over the whole vocabulary, in nats, [B]. */
  kl(
    ids: HostTensor<Int32Array>,
    mask: HostTensor<Float32Array>,
    source?: SourceBatch,
  ): Promise<HostTensor<Float32Array>>;
  dispose(): Promise<void>;
}

export function createScorer({ backend, config, params, reference }: ScorerOptions): Scorer {
  const policy: ModelSource = { config, params };
  const logprobs = createEvaluator({
    backend,
    models: { policy },
    build: (_b, { policy }, batch) => ({
      logprobs: policy!.tokenLogprobs(batch.ids!, sourceOf(policy!, batch)),
    }),
  });
  const some = createEvaluator({
    backend,
    models: { policy },
    build: (_b, { policy }, batch) => ({
      logprobs: policy!.logprobsAt(batch.ids!, batch.rows!, batch.targets!, sourceOf(policy!, batch)),
    }),
  });
  const sums = createEvaluator({
    backend,
    models: { policy },
    build: (b, { policy }, batch) => ({
      sums: sequenceLogprobs(b, policy!.tokenLogprobs(batch.ids!, sourceOf(policy!, batch)), batch.mask!),
    }),
  });
  const kl =
    reference &&
    createEvaluator({
      backend,
      models: { policy, reference },
      build: (b, models, batch) => {
        const [B, T] = batch.ids!.shape as [number, number];
        const all = (model: Model) => model.nextTokenLogprobs(batch.ids!, sourceOf(model, batch)).all;
        const [p, q] = [all(models.policy!), all(models.reference!)];
        // Row t-1 of the distributions is the one that token t was drawn from.
        const perToken = b.reshape(fullKl(b, p, q), [B, T - 1]);
        return { kl: sequenceLogprobs(b, perToken, b.slice(batch.mask!, 1, 1, T)) };
      },
    });
  return {
    geometry: geometry(config),
    async logprobs(ids, source) {
      return (await logprobs.run({ ids, ...fields(source) })).logprobs as HostTensor<Float32Array>;
    },
    async logprobsAt(ids, rows, targets, source) {
      const { logprobs } = await some.run({ ids, rows, targets, ...fields(source) });
      return logprobs as HostTensor<Float32Array>;
    },
    async sequenceLogprobs(ids, mask, source) {
      return (await sums.run({ ids, mask, ...fields(source) })).sums as HostTensor<Float32Array>;
    },
    async kl(ids, mask, source) {
      if (!kl)
        throw new TensorError("missing", "kl needs a reference model", "createScorer({ …, reference })");
      return (await kl.run({ ids, mask, ...fields(source) })).kl as HostTensor<Float32Array>;
    },
    async dispose() {
      await logprobs.dispose();
      await some.dispose();
      await sums.dispose();
      await kl?.dispose();
    },
  };
}

const fields = (source: SourceBatch | undefined): Record<string, HostTensor> =>
  source ? { source: source.ids, source_mask: source.mask } : {};
