// The data of examples/ppo-randomwalks are what its generator makes, and its judge says what the original's metric says.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const folder = new URL("../../examples/ppo-randomwalks/", import.meta.url);
const { makeWorld, randomState } = (await import(new URL("world.mjs", folder).href)) as {
  makeWorld(): { edges: number[][]; walks: number[][]; shortest: number[] };
  randomState(seed: number): { uniform(): number; below(n: number): number };
};
const { default: optimality } = (await import(new URL("optimality.mjs", folder).href)) as {
  default(request: { prompt: string; response: string }): number;
};
const rows = readFileSync(new URL("walks.jsonl", folder), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as { prompt: string; completion: string });

test("random numbers are those of NumPy's RandomState(1002)", () => {
  // np.random.RandomState(1002).rand(2); RandomState(1002).randint(21, size=4)
  const random = randomState(1002);
  expect([random.uniform(), random.uniform()]).toEqual([0.12898828866186995, 0.4611561827923094]);
  const other = randomState(1002);
  expect([0, 1, 2, 3].map(() => other.below(21))).toEqual([7, 1, 14, 8]);
});

test("walks.jsonl has the walks of the world", () => {
  const { walks } = makeWorld();
  // The first of the original's walks are ose…, qka and jrmhnba.
  expect(walks.slice(0, 3)).toEqual([
    [14, 18, 4, 14, 19, 1, 0],
    [16, 10, 0],
    [9, 17, 12, 7, 13, 1, 0],
  ]);
  const letters = walks.map((walk) => walk.map((node) => String.fromCharCode(97 + node)).join(""));
  expect(rows.map(({ prompt, completion }) => prompt + completion)).toEqual(letters);
});

describe("optimality", () => {
  test("of the walks is 0.790 in the mean", () => {
    const all = rows.map(({ prompt, completion }) => optimality({ prompt, response: completion }));
    expect(all.reduce((s, x) => s + x, 0) / all.length).toBeCloseTo(0.79018, 6);
  });

  test.each([
    ["the shortest way", "q", "ka", 1],
    ["what comes after the goal does not count", "q", "kaqqq", 1],
    ["a longer way", "o", "seotba", (10 - 7) / (10 - 4)],
    ["a step that no edge allows", "q", "ba", 0],
    ["a walk that does not arrive", "q", "k", 0],
    ["a letter that is no node", "q", "!a", 0],
    ["nothing", "q", "", 0],
  ])("%s", (_, prompt, response, score) => {
    expect(optimality({ prompt, response })).toBeCloseTo(score, 12);
  });
});
