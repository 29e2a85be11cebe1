// Scores every choice of every item by one model, and says which each way of comparing would take.
import { type Backend, createScorer, scoreContinuations } from "../../tensor/index.ts";
import type { OpenModel } from "../training/model.ts";
import { encodeItem } from "./encode.ts";
import type { Item } from "./items.ts";

export const scorings = ["sum", "tokens", "characters"] as const;
export type Scoring = (typeof scorings)[number];

export interface Scored {
  /** log p of each choice, nats. */
  readonly logprobs: readonly number[];
  readonly tokens: readonly number[];
  /** The position taken, by each way of comparing. */
  readonly predictions: Readonly<Record<Scoring, number>>;
  /** Solved examples that were shown. */
  readonly shots: number;
}

export interface ScoreOptions {
  readonly max_length?: number;
  readonly delimiter: string;
  onProgress(done: number): void;
}

/** Items handed over at once: sequences of like length among them share a pass. */
export const portion = 128;

export async function scoreItems(
  backend: Backend,
  model: OpenModel,
  items: readonly Item[],
  { max_length, delimiter, onProgress }: ScoreOptions,
): Promise<Scored[]> {
  const limit = Math.min(max_length ?? Number.POSITIVE_INFINITY, model.geometry.maxLength);
  const encodes = model.geometry.decoderStart !== undefined;
  const scorer = createScorer({ backend, config: model.config, params: model.params });
  const scored: Scored[] = [];
  for (let first = 0; first < items.length; first += portion) {
    const part = items.slice(first, first + portion);
    const encoded = part.map((item) =>
      encodeItem(item, { tokenizer: model.tokenizer, encodes, max_length: limit, delimiter }),
    );
    const scores = await scoreContinuations(scorer, encoded, {
      ...(Number.isFinite(limit) ? { max_length: limit } : {}),
    });
    for (const [i, each] of scores.entries()) {
      const logprobs = each.map(({ sum }) => sum);
      const lengths = {
        sum: logprobs.map(() => 1),
        tokens: each.map((score) => score.logprobs.length),
        // Code points, as Python counts.
        characters: part[i]!.choices.map((choice) => Math.max(1, [...choice].length)),
      };
      const take = (by: Scoring) => argmax(logprobs.map((x, choice) => x / lengths[by][choice]!));
      scored.push({
        logprobs,
        tokens: lengths.tokens,
        predictions: { sum: take("sum"), tokens: take("tokens"), characters: take("characters") },
        shots: encoded[i]!.shots,
      });
    }
    onProgress(scored.length);
  }
  await scorer.dispose();
  return scored;
}

/** The first of the greatest. */
function argmax(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
