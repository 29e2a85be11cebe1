// Scores whole sequences with a reward model: its head's value at the last token, plus the bias.
import { type Backend, createEvaluator, tensor } from "../../tensor/index.ts";
import { type Listener, tell } from "../training/loop.ts";
import { type Example, pad } from "../training/padding.ts";
import { type OpenRewardModel, scoresAt } from "./reward-model.ts";

export interface SequenceScorer {
  /** Prompt with response each → one score each, in order. */
  score(sequences: readonly (readonly number[])[], listener?: Listener): Promise<number[]>;
  dispose(): Promise<void>;
}

/** Sequences of like length are computed together, `size` at a time. */
export function openSequenceScorer(backend: Backend, model: OpenRewardModel, size = 32): SequenceScorer {
  const { config, params, geometry, bias } = model;
  const evaluator = createEvaluator({
    backend,
    models: { reward: { config, params } },
    build: (b, { reward }, { ids, last }) => ({ scores: scoresAt(b, reward!, ids!, last!) }),
  });
  return {
    async score(sequences, listener) {
      const scores = new Array<number>(sequences.length);
      const order = [...sequences.keys()].sort(
        (i, j) => sequences[i]!.length - sequences[j]!.length || i - j,
      );
      for (let at = 0; at < order.length; at += size) {
        const chunk = order.slice(at, at + size);
        const { ids, last } = lastTokens(
          chunk.map((i) => ({ ids: sequences[i]!, mask: [] })),
          Math.min(size, Math.max(2, 2 ** Math.ceil(Math.log2(chunk.length)))),
          geometry.maxLength,
        );
        const out = await evaluator.run({ ids, last });
        chunk.forEach((i, row) => {
          scores[i] = out.scores!.data[row]! + bias;
        });
        const done = at + chunk.length;
        if (listener) await tell(listener, { done, total: order.length, unit: "sequences" });
      }
      return scores;
    },
    dispose: () => evaluator.dispose(),
  };
}

/** Right-padded ids [rows,T] and the place of each last token among the rows·T, [rows]; no two are the same. */
export function lastTokens(examples: readonly Example[], rows: number, limit: number) {
  const { ids } = pad(examples, rows, limit);
  const T = ids.shape[1]!;
  const last = Int32Array.from(
    { length: rows },
    (_, r) => r * T + Math.max(0, (examples[r]?.ids.length ?? 1) - 1),
  );
  return { ids, last: tensor(last, [rows]) };
}
