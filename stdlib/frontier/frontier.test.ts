import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { frontier } from "./index.ts";
import { frontierOf, rewardAt, tilted, trustedKl } from "./optimum.ts";

describe("the optimum from rated responses of the reference", () => {
  test("of two responses with rewards 0 and 1 at λ = 1 is that of a coin", () => {
    // w = σ(1) = 0.7310585786; KL = w ln 2w + (1-w) ln 2(1-w) = 0.1109439
    const { kl, reward } = tilted([[0, 1]], 1);
    expect(reward).toBeCloseTo(0.7310585786, 9);
    expect(kl).toBeCloseTo(
      0.7310585786 * Math.log(2 * 0.7310585786) + 0.2689414214 * Math.log(2 * 0.2689414214),
      9,
    );
  });

  test("prompts are averaged, and without tilt there is no KL", () => {
    expect(
      tilted(
        [
          [0, 1],
          [1, 3],
        ],
        Number.POSITIVE_INFINITY,
      ),
    ).toEqual({ kl: 0, reward: 1.25 });
  });

  test("equals the optimum of a known distribution, of which the samples are exact copies", () => {
    // π_ref has p(r = 0) = 3/4, p(r = 1) = 1/4; at λ = ½ π gives r = 1 the weight e² / (3 + e²) = 0.711235.
    const p = Math.exp(2) / (3 + Math.exp(2));
    const { kl, reward } = tilted([Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0))], 0.5);
    expect(reward).toBeCloseTo(p, 9);
    expect(kl).toBeCloseTo(p * Math.log(p / 0.25) + (1 - p) * Math.log((1 - p) / 0.75), 9);
  });

  test("rises with KL, ends one nat below log N, and is linear between its points", () => {
    const line = frontierOf([Array.from({ length: 100 }, (_, i) => i / 99)]);
    for (const [i, point] of line.entries()) {
      if (i === 0) continue;
      expect(point.kl).toBeGreaterThan(line[i - 1]!.kl);
      expect(point.reward).toBeGreaterThan(line[i - 1]!.reward);
    }
    expect(line.at(-1)!.kl).toBeLessThanOrEqual(trustedKl(100));
    expect(line[0]!.reward).toBeCloseTo(0.5, 12);
    const halfway = (line[3]!.kl + line[4]!.kl) / 2;
    expect(rewardAt(line, halfway)).toBeCloseTo((line[3]!.reward + line[4]!.reward) / 2, 12);
    expect(rewardAt(line, 99)).toBe(line.at(-1)!.reward);
  });
});

describe("the stage", () => {
  async function comparison(metrics: object): Promise<string> {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "metrics.json"), JSON.stringify(metrics));
    return dir;
  }
  const rated = () => datasetOf([{ prompt: "p", responses: ["a", "b", "c", "d"], scores: [0, 0, 1, 1] }]);

  test("places each policy by its share of the optimum at its KL", async () => {
    const [start, half] = [
      await comparison({ kl: 0, score: 0.5 }),
      await comparison({ kl: 0.1, score: 0.35 }),
    ];
    const { dir, metrics, summary } = await runWith(
      frontier,
      {},
      { inputs: { responses: await rated(), dpo: [start, half] } },
    );
    const rows = await rowsIn(dir);
    expect(rows[0]).toMatchObject({ kl: 0, score: 0.5, optimum: 0.5, share: 1 });
    // At KL 0.1 the optimum of a coin is 0.7178: w ln 2w + (1-w) ln 2(1-w) = 0.1.
    expect(rows[1]!.optimum).toBeCloseTo(0.718, 2);
    expect(metrics!.dpo_worst_share).toBeCloseTo(0.35 / 0.718, 2);
    expect(metrics!.dpo_best_share).toBe(1);
    expect(metrics!.dpo_best_gain).toBe(0);
    expect(metrics!.reference_score).toBe(0.5);
    expect(summary).toMatch(/The reference itself has 0.500/);
    const { series } = JSON.parse(await readFile(join(dir, "plot.json"), "utf8")) as {
      series: { name: string }[];
    };
    expect(series.map(({ name }) => name)).toEqual(["optimum", "dpo"]);
  });

  test("what measures no KL, and too few responses, are refused", async () => {
    const responses = await rated();
    await expect(
      runWith(frontier, {}, { inputs: { responses, dpo: await comparison({ score: 1 }) } }),
    ).rejects.toMatchObject({ code: "no-such-metric" });
    const few = await datasetOf([{ prompt: "p", responses: ["a"], scores: [1] }]);
    await expect(runWith(frontier, {}, { inputs: { responses: few } })).rejects.toMatchObject({
      code: "too-few-responses",
    });
  });
});
