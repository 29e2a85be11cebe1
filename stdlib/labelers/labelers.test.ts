// People who rank: how far they agree, who is let in, and people who are only simulated.
import { describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { datasetOf, runWith, transformWith } from "../testing.ts";
import { agreementOf, krippendorffAlpha } from "./agreement.ts";
import { agreement, screenLabelers, simulateLabelers } from "./index.ts";

describe("agreement of two rankings", () => {
  test("counts pairs in the same order, and half of those that one calls a tie", () => {
    // pairs (1,2) (1,3) (2,3): same, same, opposite
    expect(agreementOf([1, 2, 3], [1, 3, 2])).toEqual({ agreed: 2, pairs: 3 });
    expect(agreementOf([1, 1], [1, 2])).toEqual({ agreed: 0.5, pairs: 1 });
    expect(agreementOf([1, 1], [2, 2])).toEqual({ agreed: 1, pairs: 1 });
  });
});

describe("Krippendorff's alpha", () => {
  // The data of Krippendorff 2011, section C: four observers, twelve units, missing values left out.
  const units = [
    [1, 1, 1],
    [2, 2, 3, 2],
    [3, 3, 3, 3],
    [3, 3, 3, 3],
    [2, 2, 2, 2],
    [1, 2, 3, 4],
    [4, 4, 4, 4],
    [1, 1, 2, 1],
    [2, 2, 2, 2],
    [5, 5, 5],
    [1, 1],
    [3],
  ];
  test.each([
    ["nominal", 0.743],
    ["ordinal", 0.815],
    ["interval", 0.849],
  ] as const)("%s is %f", (level, alpha) => {
    expect(krippendorffAlpha(units, level)).toBeCloseTo(alpha, 3);
  });

  test("is 1 for full agreement and below 0 for systematic disagreement", () => {
    expect(
      krippendorffAlpha(
        [
          [1, 1],
          [2, 2],
        ],
        "ordinal",
      ),
    ).toBe(1);
    expect(
      krippendorffAlpha(
        [
          [1, 2],
          [2, 1],
        ],
        "nominal",
      ),
    ).toBeLessThan(0);
  });
});

const random = stream("labelers").split("rows");
const rated: RowData[] = Array.from({ length: 400 }, (_, i) => ({
  prompt: `question ${i}`,
  responses: Array.from({ length: 4 }, () => "word ".repeat(1 + random.int(9)).trim()),
  scores: Array.from({ length: 4 }, () => random.normal()),
}));
const simulate = (params: object) => transformWith(simulateLabelers, rated, { seed: 3, ...params });
const measure = async (rows: readonly RowData[]) =>
  (await runWith(agreement, {}, { inputs: { rankings: await datasetOf(rows) } })).metrics!;

describe("simulated labelers", () => {
  test.each([0.65, 0.73, 0.85])("two of them agree on %f of the pairs", async (target) => {
    const metrics = await measure(await simulate({ agreement: target, labelers_per_prompt: 2 }));
    expect(metrics.agreement).toBeCloseTo(target, 1);
    expect(Math.abs(metrics.agreement! - target)).toBeLessThan(0.025);
    expect(metrics.shared).toBe(400);
    expect(metrics.labelers).toBe(40);
    expect(metrics.alpha).toBeGreaterThan(0);
  });

  test("or each agrees with the truth so often", async () => {
    const rows = await simulate({ agreement: 0.73, agreement_with: "truth" });
    const truth = (scores: readonly number[]) => scores.map((s) => 1 + scores.filter((o) => o > s).length);
    const all = rows.map((row) => agreementOf(row.ranks as number[], truth(row.scores as number[])));
    const share = all.reduce((n, a) => n + a.agreed, 0) / all.reduce((n, a) => n + a.pairs, 0);
    expect(Math.abs(share - 0.73)).toBeLessThan(0.025);
  });

  test("a margin makes ties, which share the best rank", async () => {
    expect((await measure(await simulate({ labelers_per_prompt: 2 }))).tied).toBe(0);
    const rows = await simulate({ tie_margin: 0.5, labelers_per_prompt: 2 });
    expect((await measure(rows)).tied).toBeGreaterThan(0.05);
    const tied = rows.find(({ ranks }) => new Set(ranks as number[]).size < 4)!.ranks as number[];
    for (const rank of tied) expect(rank).toBe(1 + tied.filter((other) => other < rank).length);
  });

  test("the same seed gives the same rows, another one others", async () => {
    expect(await simulate({})).toEqual(await simulate({}));
    expect(await simulate({})).not.toEqual(await simulate({ seed: 4 }));
  });

  test("an agreement that cannot be had is refused with what can", async () => {
    await expect(simulate({ agreement: 0.2 })).rejects.toThrow("with nothing but noise 0.");
    await expect(simulate({ agreement: 1, bias: 2 })).rejects.toThrow("without noise it is 0.");
  });
});

describe("screening", () => {
  const row = (labeler: string, prompt: string, ranks: number[]): RowData => ({
    prompt,
    responses: ["a", "b", "c"],
    ranks,
    labeler,
  });
  const rows = [
    row("us", "p", [1, 2, 3]),
    row("careful", "p", [1, 2, 3]),
    row("sloppy", "p", [3, 2, 1]),
    row("sloppy", "q", [1, 2, 3]),
    row("elsewhere", "q", [1, 2, 3]),
  ];

  test("keeps who agrees with the reference, and nobody who cannot be held against it", async () => {
    const kept = await transformWith(screenLabelers, rows, { reference: "us" });
    expect(kept.map(({ labeler }) => labeler)).toEqual(["us", "careful"]);
  });

  test("names the labelers when the reference is none of them", async () => {
    await expect(transformWith(screenLabelers, rows, { reference: "them" })).rejects.toThrow(
      "there is no ranking by them; labelers are us, careful, sloppy, elsewhere",
    );
  });

  test("agreement wants prompts that two labelers ranked", async () => {
    await expect(measure(rows.slice(0, 1))).rejects.toThrow("no two labelers ranked the same responses");
  });
});
