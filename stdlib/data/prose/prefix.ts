// Cuts texts into prompt and completion at a random word.
import type { Rows, TransformRun } from "../../../engine/index.ts";
import { stream } from "../../../tensor/index.ts";
import { textIn } from "../row-text.ts";

interface Params {
  readonly min_words: number;
  readonly max_words: number;
  readonly seed: number;
}

export const prefix: TransformRun<Params> = {
  async *transform(rows, { params }): Rows {
    const random = stream(params.seed).split("prefix");
    let number = 0;
    for await (const row of rows) {
      const text = textIn(row, "text", ++number).trim();
      const ends = Array.from(text.matchAll(/\S+/g), (word) => word.index + word[0].length);
      const longest = Math.min(params.max_words, ends.length - 1);
      if (longest < params.min_words) continue; // nothing would be left to complete
      // The text names its stream: neither other rows nor their order change this draw.
      const words = params.min_words + random.split(text).int(longest - params.min_words + 1);
      const cut = ends[words - 1]!;
      yield { prompt: text.slice(0, cut), completion: text.slice(cut) };
    }
  },
};
