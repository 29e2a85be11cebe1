import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { script } from "../lexicon/index.ts";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { judgeReport, winRate } from "./index.ts";

async function judgeOf(body: string): Promise<string> {
  const path = join(await temporaryFolder(), "judge.js");
  await writeFile(path, `export default ${body};\n`);
  return (await runWith(script, { path }, { files: { path: [path] } })).dir;
}
const answers = (texts: readonly string[]) =>
  datasetOf(texts.map((text, i) => ({ prompt: `p${i}`, responses: [text] })));

test("responses meet the baseline's to the same prompt; what only one has is counted", async () => {
  const inputs = {
    responses: await answers(["good", "bad", "same", "good good", "alone"]),
    baseline: await answers(["bad", "good", "same", "bad"]),
    judge: await judgeOf("({ response }) => response.split('good').length"),
  };
  const { dir, metrics, summary } = await runWith(winRate, {}, { inputs });
  // won, lost, tie, won: (1 + 0 + ½ + 1) / 4
  expect(metrics).toMatchObject({ win_rate: 0.625, prompts: 4, unmatched: 1, malformed: 0 });
  expect((await rowsIn(dir)).map(({ points }) => points)).toEqual([1, 0, 0.5, 1]);
  expect(summary).toContain("win rate                62.5%");
});

test("judges are held against each other, and against who prefers the longest", async () => {
  const duel = (n: number, points: number, orders: unknown = null) => ({
    prompt: `p${n}`,
    response: n % 2 ? "long text" : "text",
    baseline: "texts",
    points,
    orders,
  });
  const one = await datasetOf([duel(0, 0), duel(1, 1), duel(2, 0.5), duel(3, 1)] as never);
  const two = await datasetOf([
    duel(0, 0, ["b", "b"]),
    duel(1, 1, ["a", "a"]),
    duel(2, 0, ["b", "b"]),
    duel(3, 0.5, ["a", "b"]),
  ] as never);
  const { metrics, summary } = await runWith(judgeReport, {}, { inputs: { judgments: [one, two] } });
  // Alike on 0 and 1 of four; by chance ¼·½ + ½·¼ + ¼·¼ = 5/16, so κ = (8/16 − 5/16) / (11/16).
  expect(metrics!.agreement).toBe(0.5);
  expect(metrics!.kappa).toBeCloseTo(3 / 11, 12);
  // The longest: lost, won, lost, won: with the first judge 3 of 4, with the second 3 of 4.
  expect(metrics).toMatchObject({ longest_agreement: 0.75, position_consistency: 0.75, duels: 4 });
  expect(summary).toContain("4 duels");
});
