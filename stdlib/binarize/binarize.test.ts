import { describe, expect, test } from "vitest";
import { stream } from "../../tensor/random.ts";
import { columnsOf, datasetOf, rowsIn, runWith } from "../testing.ts";
import { binarize } from "./index.ts";
import { choose } from "./run.ts";

const row = { prompt: "p", responses: ["a", "b", "c", "d"], scores: [2, 4, 1, 4] };

async function pairsOf(rows: readonly (typeof row)[], params: Record<string, unknown>) {
  const { dir, metrics } = await runWith(binarize, params, { inputs: { data: await datasetOf(rows) } });
  return { pairs: (await rowsIn(dir)).map((r) => `${r.chosen}>${r.rejected}`), metrics };
}

describe("all", () => {
  test("four responses make six pairs, without those that tie", async () => {
    // ab: b>a by 2, ac: a>c by 1, ad: d>a by 2, bc: b>c by 3, bd tie, cd: d>c by 3.
    const { pairs, metrics } = await pairsOf([row], { pairs: "all" });
    expect(pairs).toEqual(["b>a", "a>c", "d>a", "b>c", "d>c"]);
    // (2 + 1 + 2 + 3 + 3) / 5
    expect(metrics).toEqual({ pairs: 5, rows: 1, ties: 1, below_margin: 0, unrated: 0, mean_margin: 2.2 });
  });

  test("pairs closer than min_margin are dropped and counted", async () => {
    const { pairs, metrics } = await pairsOf([row], { pairs: "all", min_margin: 2 });
    expect(pairs).toEqual(["b>a", "d>a", "b>c", "d>c"]);
    expect(metrics).toMatchObject({ pairs: 4, ties: 1, below_margin: 1 });
  });
});

describe("best_vs_worst", () => {
  test("makes one pair per prompt", async () => {
    expect((await pairsOf([row], { pairs: "best_vs_worst" })).pairs).toEqual(["b>c"]);
  });
});

describe("best_vs_random", () => {
  test("pairs the best with each of the others equally often", () => {
    const counts = [0, 0, 0, 0];
    for (let seed = 0; seed < 3000; seed++) {
      const [[best, other]] = choose([2, 9, 1, 4], "best_vs_random", stream(seed)) as [[number, number]];
      expect(best).toBe(1);
      counts[other]!++;
    }
    expect(counts[1]).toBe(0);
    // 3000 / 3 each, standard deviation sqrt(3000 · 1/3 · 2/3) = 25.8; five of them.
    for (const i of [0, 2, 3]) expect(Math.abs(counts[i]! - 1000)).toBeLessThan(129);
  });

  test("a prompt's pair depends on the prompt and the seed, not on other prompts", async () => {
    const rows = Array.from({ length: 30 }, (_, i) => ({ ...row, prompt: `p${i}`, scores: [2, 9, 1, 4] }));
    const { pairs } = await pairsOf(rows, {});
    expect((await pairsOf(rows.slice(10), {})).pairs).toEqual(pairs.slice(10));
    expect((await pairsOf(rows, { seed: 1 })).pairs).not.toEqual(pairs);
  });
});

test("a row keeps its scores with the pair", async () => {
  const { dir } = await runWith(
    binarize,
    { pairs: "best_vs_worst" },
    { inputs: { data: await datasetOf([row]) } },
  );
  expect(await rowsIn(dir)).toEqual([
    { prompt: "p", chosen: "b", rejected: "c", chosen_score: 4, rejected_score: 1 },
  ]);
  expect(
    columnsOf(binarize, { row: { columns: { prompt: "string", responses: "list", scores: "list" } } }),
  ).toEqual({
    prompt: "string",
    chosen: "string",
    rejected: "string",
    chosen_score: "number",
    rejected_score: "number",
  });
});

test("scores that do not fit the responses name their row; no pair at all says why", async () => {
  const bad = { ...row, scores: [1, 2] };
  await expect(pairsOf([row, bad], {})).rejects.toThrow(
    "row 2 has a list in scores; a number for each of the 4 responses",
  );
  const tied = { ...row, scores: [1, 1, 1, 1] };
  await expect(pairsOf([tied], { pairs: "all" })).rejects.toThrow(
    "none of the 1 prompts gave a pair: 6 ties",
  );
});
