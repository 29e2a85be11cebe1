import { describe, expect, test } from "vitest";
import { stream } from "../../tensor/index.ts";
import { columnsOf, datasetOf, rowsIn, runWith } from "../testing.ts";
import { proportional, weighted } from "./index.ts";
import { allot, rates, type Task } from "./rates.ts";

const whole = (rows: number, dataset = 0): Task => ({ dataset, rows, parts: 1 });

describe("rates", () => {
  test("FLAN: sizes 100, 3k, 30k and 1M, of which at most 30k are taken and 3k count, weigh 100, 3000, 3000, 3000", () => {
    const tasks = [100, 3_000, 30_000, Math.min(1_000_000, 30_000)].map((n) => whole(n));
    expect(rates(tasks, { rate_maximum: 3_000, temperature: 1 })).toEqual([100, 3000, 3000, 3000]);
  });

  test("T0: above 500k each template counts as 500k over the templates, below as all rows", () => {
    const gigaword: Task = { dataset: 0, rows: 3_803_957, parts: 9 };
    const rte: Task = { dataset: 1, rows: 2_490, parts: 10 };
    // 500,000 / 9 = 55,555.6
    expect(rates([gigaword, rte], { rate_maximum: 500_000, temperature: 1 })).toEqual([55_555, 2_490]);
  });

  test("a temperature takes the root", () => {
    expect(rates([whole(100), whole(10_000)], { temperature: 2 })).toEqual([10, 100]);
  });
});

describe("allot", () => {
  test("gives whole numbers exactly and rounds others by at most one", () => {
    expect(allot([100, 3000, 3000, 3000], 9_100, stream(1))).toEqual([100, 3000, 3000, 3000]);
    for (let seed = 0; seed < 100; seed++) {
      const [a, b, c] = allot([1, 2, 4], 10, stream(seed)) as [number, number, number];
      expect(a + b + c).toBe(10);
      // 10/7 = 1.43, 20/7 = 2.86, 40/7 = 5.71
      for (const [n, mean] of [
        [a, 10 / 7],
        [b, 20 / 7],
        [c, 40 / 7],
      ] as const)
        expect(Math.abs(n - mean)).toBeLessThan(1);
    }
  });

  test("the mean over seeds is the share", () => {
    let first = 0;
    for (let seed = 0; seed < 4000; seed++) first += allot([1, 2, 4], 10, stream(seed))[0]!;
    // 10/7 = 1.4286; one draw is 1 or 2 with variance 0.43 · 0.57 = 0.245, so the mean has σ = 0.0078; four of them.
    expect(Math.abs(first / 4000 - 10 / 7)).toBeLessThan(0.032);
  });
});

const numbered = (source: string, count: number) =>
  datasetOf(Array.from({ length: count }, (_, n) => ({ source, n })));

/** Σ (observed − expected)² / expected. */
const chiSquare = (observed: readonly number[], expected: readonly number[]) =>
  observed.reduce((sum, o, i) => sum + (o - expected[i]!) ** 2 / expected[i]!, 0);

describe("proportional", () => {
  test("goes once through what is below the maximum, and through a sample of the rest", async () => {
    const data = [await numbered("a", 3), await numbered("b", 40)];
    const given = { inputs: { data } };
    const params = { templates: [[], []], rate_maximum: 10 };
    const { dir, metrics } = await runWith(proportional, params, given);
    const rows = await rowsIn(dir);
    expect(
      rows
        .filter((r) => r.source === "a")
        .map((r) => r.n)
        .sort(),
    ).toEqual([0, 1, 2]);
    const b = rows.filter((r) => r.source === "b").map((r) => r.n);
    expect([b.length, new Set(b).size]).toEqual([10, 10]);
    expect(metrics).toEqual({
      rows: 13,
      datasets: 2,
      tasks: 2,
      largest_share: 10 / 13,
      smallest_share: 3 / 13,
      passes: 1,
    });
  });

  test("a dataset that is drawn more often than it has rows is repeated whole", async () => {
    const data = [await numbered("a", 3), await numbered("b", 3)];
    const { dir } = await runWith(proportional, { templates: [[], []], examples: 18 }, { inputs: { data } });
    const a = (await rowsIn(dir)).filter((r) => r.source === "a").map((r) => r.n);
    expect(a.sort()).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2]);
  });

  test("at most examples_per_dataset rows of each are ever drawn", async () => {
    const data = [await numbered("a", 100)];
    const params = { templates: [[]], examples_per_dataset: 5, examples: 50 };
    const { dir } = await runWith(proportional, params, { inputs: { data } });
    const seen = new Set((await rowsIn(dir)).map((r) => r.n as number));
    expect(seen.size).toBe(5);
    expect(Math.max(...seen)).toBeGreaterThan(4); // a sample, not the first five
  });

  test("F4: what is drawn has FLAN's shares: sizes 100, 3k and 30k, and of a larger one 30k at most, in a tenth", async () => {
    const sizes = [10, 300, 3_000, 4_000];
    const data = [];
    for (const [i, size] of sizes.entries()) data.push(await numbered(String(i), size));
    const caps = { examples_per_dataset: 3_000, rate_maximum: 300 };
    const params = { templates: [[], [], [], []], ...caps, examples: 12_000, seed: 5 };
    const rows = await rowsIn((await runWith(proportional, params, { inputs: { data } })).dir);
    const drawn = sizes.map((_, i) => rows.filter((r) => r.source === String(i)));
    // 12,000 · [10, 300, 300, 300] / 910 = 131.9, 3956, 3956, 3956; 3 degrees of freedom: p > 0.01 below 11.34.
    const expected = [10, 300, 300, 300].map((weight) => (12_000 * weight) / 910);
    const observed = drawn.map((of) => of.length);
    expect(chiSquare(observed, expected)).toBeLessThan(11.34);
    // 3956 draws from 3,000 rows: each of them, and none of the other 1,000.
    expect(new Set(drawn[3]!.map((r) => r.n)).size).toBe(3_000);
  });

  test("F4: and each of its ten templates a tenth of the rows", async () => {
    const templates = [Array.from({ length: 10 }, (_, i) => ({ input: `${i}`, target: "{{ source }}" }))];
    const data = [await numbered("a", 2_000)];
    const rows = await rowsIn((await runWith(proportional, { templates }, { inputs: { data } })).dir);
    const counts = Array.from({ length: 10 }, (_, i) => rows.filter((r) => r.prompt === `${i}`).length);
    // 200 each; 9 degrees of freedom: p > 0.01 below 21.67, and p < 0.99 above 2.09.
    const statistic = chiSquare(counts, new Array<number>(10).fill(200));
    expect(statistic).toBeLessThan(21.67);
    expect(statistic).toBeGreaterThan(2.09); // drawn, not dealt
  });

  test("templates of a dataset are used in turn by chance; rows without one keep their words", async () => {
    const data = [await numbered("a", 40), await datasetOf([{ prompt: "p", completion: "c", other: 1 }])];
    const templates = [
      [
        { input: "first {{ n }}", target: "{{ source }}" },
        { input: "second {{ n }}", target: "{{ source }}" },
      ],
      [],
    ];
    const rows = await rowsIn((await runWith(proportional, { templates }, { inputs: { data } })).dir);
    expect(rows).toContainEqual({ prompt: "p", completion: "c" });
    const first = rows.filter((r) => String(r.prompt).startsWith("first")).length;
    // 40 fair coins: 20 ± 3.2; four of them.
    expect(Math.abs(first - 20)).toBeLessThan(13);
    expect(rows.filter((r) => r.completion === " a")).toHaveLength(40);
  });

  test("per template each has a rate: a small dataset with two templates weighs twice", async () => {
    const data = [await numbered("a", 10), await numbered("b", 10)];
    const templates = [
      [
        { input: "1", target: "a" },
        { input: "2", target: "a" },
      ],
      [{ input: "3", target: "b" }],
    ];
    const { dir, metrics } = await runWith(
      proportional,
      { templates, per: "template" },
      { inputs: { data } },
    );
    const prompts = (await rowsIn(dir)).map((r) => r.prompt);
    expect(["1", "2", "3"].map((p) => prompts.filter((x) => x === p).length)).toEqual([10, 10, 10]);
    expect(metrics).toMatchObject({ rows: 30, tasks: 3, datasets: 2 });
  });

  test("rows in words already are told apart by their column `template`", async () => {
    const rows = Array.from({ length: 12 }, (_, n) => ({ template: n % 3, n }));
    const params = { templates: [[]], per: "template", rate_maximum: 3 };
    const { dir } = await runWith(proportional, params, { inputs: { data: [await datasetOf(rows)] } });
    // 4 rows of each of 3 templates, more than 3: each counts as floor(3 / 3) = 1.
    expect((await rowsIn(dir)).map((r) => r.template).sort()).toEqual([0, 1, 2]);
  });

  test("the same seed draws the same bytes, another seed others", async () => {
    const data = [await numbered("a", 30), await numbered("b", 50)];
    const draw = async (seed: number) =>
      rowsIn(
        (await runWith(proportional, { templates: [[], []], rate_maximum: 20, seed }, { inputs: { data } }))
          .dir,
      );
    expect(await draw(1)).toEqual(await draw(1));
    expect(await draw(1)).not.toEqual(await draw(2));
  });

  test("a dataset without rows is named", async () => {
    const data = [await numbered("a", 3), await datasetOf([])];
    await expect(runWith(proportional, { templates: [[], []] }, { inputs: { data } })).rejects.toThrow(
      "data has no rows to draw",
    );
  });
});

describe("weighted", () => {
  test("draws by weight, whatever the sizes", async () => {
    const data = [await numbered("a", 5), await numbered("b", 500)];
    const params = { templates: [[], []], weights: [3, 1], examples: 40 };
    const rows = await rowsIn((await runWith(weighted, params, { inputs: { data } })).dir);
    expect(rows.filter((r) => r.source === "a")).toHaveLength(30);
  });

  test("a weight that looks like a count is refused, and one too few", () => {
    expect(weighted.validate({ weights: [30_000, 1], templates: [], seed: 1 })[0]!.message).toContain(
      "30000",
    );
    const given = { data: [{ kind: "any" }, { kind: "any" }] } as const;
    expect(columnsOf(weighted, { given, params: { weights: [1], templates: [[], []] } })).toBe(
      "1 weights for 2 datasets",
    );
  });
});
