// How responses of different lengths lie side by side.

import { expect, test } from "vitest";
import { type Episode, rowsOf, tokensOf } from "./episode.ts";

const episode = (promptIds: number[], ids: number[]): Episode => ({
  prompt: "",
  row: {},
  promptIds,
  ids,
  ended: true,
  text: "",
});

test("prompt and response are a row, and each response token has the place before it", () => {
  const { ids, rows, targets } = tokensOf([episode([7, 8], [1, 2, 3]), episode([9], [4])], 2, 64);
  // The longest row has 5 tokens, the longest response 3: padded to 8 and 4.
  expect([...ids.data]).toEqual([7, 8, 1, 2, 3, 0, 0, 0, 9, 4, 0, 0, 0, 0, 0, 0]);
  expect([...targets.data]).toEqual([1, 2, 3, 0, 4, 0, 0, 0]);
  // 8 is at place 1 and predicts 1; 9 is at place 8 and predicts 4; padding goes on from there.
  expect([...rows.data]).toEqual([1, 2, 3, 4, 8, 9, 10, 11]);
});

test.each([5, 6, 30, 64])("no place comes twice, also where the context of %d ends", (limit) => {
  for (let prompt = 1; prompt < limit; prompt++) {
    const full = Array.from({ length: limit - prompt }, (_, t) => t);
    const { ids, rows } = tokensOf([episode(new Array(prompt).fill(1), full), episode([1], [2])], 3, limit);
    expect(new Set(rows.data).size).toBe(rows.data.length);
    expect(Math.max(...rows.data)).toBeLessThan(ids.data.length);
  }
});

test("what models say of the tokens is cut to each response again", () => {
  const episodes = [episode([7], [1, 2, 3, 4, 5]), episode([7], [1])];
  const { targets } = tokensOf(episodes, 2, 64);
  expect(rowsOf(targets.data, episodes)).toEqual([[1, 2, 3, 4, 5], [1]]);
});
