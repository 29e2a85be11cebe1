import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { check, type Host, render } from "../../grammar/index.ts";
import { library } from "../index.ts";
import { rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { report } from "./index.ts";
import { type Group, tableOf } from "./table.ts";

const options = { confidence: 0.95, resamples: 2000, seed: 42 };
const family = (name: string, accuracies: Readonly<Record<string, number>>): Group => ({
  name,
  stages: Object.entries(accuracies).map(([member, accuracy]) => ({
    node: `${name}[${member}]`,
    metrics: { accuracy, accuracy_low: accuracy - 0.05, accuracy_high: accuracy + 0.05, loss: 1 - accuracy },
  })),
});
const tuned = family("tuned", { nli: 0.7, qa: 0.6, sentiment: 0.8 });
const untuned = family("untuned", { nli: 0.5, qa: 0.5, sentiment: 0.5 });

test("two families over the same values stand side by side, with their means and the difference in pairs", () => {
  const { columns, rows, metrics } = tableOf([tuned, untuned], { ...options, metrics: ["accuracy"] });
  expect(columns).toEqual(["stage", "tuned", "untuned"]);
  expect(rows.map(({ stage, tuned: a, untuned: b }) => [stage, a, b])).toEqual([
    ["nli", 0.7, 0.5],
    ["qa", 0.6, 0.5],
    ["sentiment", 0.8, 0.5],
    ["mean", expect.closeTo(0.7, 12), 0.5],
  ]);
  expect(rows[0]).toMatchObject({
    tuned_low: expect.closeTo(0.65, 12),
    tuned_high: expect.closeTo(0.75, 12),
  });
  // (0.2 + 0.1 + 0.3) / 3; no resample of three differences is below the least or above the greatest.
  expect(metrics.accuracy_difference).toBeCloseTo(0.2, 12);
  expect(metrics.accuracy_difference_low).toBeGreaterThanOrEqual(0.1 - 1e-12);
  expect(metrics.accuracy_difference_high).toBeLessThanOrEqual(0.3 + 1e-12);
  expect(metrics).toMatchObject({ tuned_accuracy: expect.closeTo(0.7, 12), untuned_accuracy: 0.5 });
});

test("stages that have nothing in common stand below each other, each with its own interval", () => {
  const groups: Group[] = [
    {
      name: "wins",
      stages: [{ node: "wins", metrics: { win_rate: 0.6, win_rate_low: 0.5, win_rate_high: 0.7 } }],
    },
    tuned,
  ];
  const { columns, rows } = tableOf(groups, options);
  expect(columns).toEqual(["stage", "win_rate", "accuracy", "loss"]);
  expect(rows.map(({ stage }) => stage)).toEqual([
    "wins",
    "tuned[nli]",
    "tuned[qa]",
    "tuned[sentiment]",
    "tuned, mean",
  ]);
  expect(rows[0]).toEqual({ stage: "wins", win_rate: 0.6, win_rate_low: 0.5, win_rate_high: 0.7 });
});

test("a metric that a stage does not have is named with those that it has", () => {
  expect(() => tableOf([tuned], { ...options, metrics: ["acc"] })).toThrow("tuned[nli] has no metric acc");
});

test("the artifact has the rows, the order of its columns, and the table as text", async () => {
  const stage = async (metrics: object) => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "metrics.json"), JSON.stringify(metrics));
    return dir;
  };
  const inputs = {
    wins: await stage({ rate: 0.625, rate_low: 0.5, rate_high: 0.75 }),
    losses: await stage({ rate: 0.25 }),
  };
  const made = await runWith(report, {}, { inputs });
  expect(await rowsIn(made.dir)).toHaveLength(2);
  expect(JSON.parse(await readFile(join(made.dir, "table.json"), "utf8"))).toEqual({
    columns: ["stage", "rate"],
  });
  expect(made.summary).toBe("stage   rate\nwins    0.625 [0.5, 0.75]\nlosses  0.25\n");
  // One stage each: they are a pair. 0.625 − 0.25.
  expect(made.metrics).toMatchObject({ rate_difference: 0.375, wins_rate_low: 0.5 });
});

const host: Host = { resolve: (path) => ({ files: [`/${path}`] }), peek: () => undefined };

test("`expect` reads what was asked for, by the names of the inputs", () => {
  const checked = (last: string) => {
    const text = `pipeline p
dataset pairs = jsonl("p.jsonl") as Preference
model base = hf("a/b")
stage d[beta in [0.1, 1]] = dpo(base, pairs, eval: pairs) { beta: beta }
stage ipo[beta in [0.1, 1]] = dpo(base, pairs, eval: pairs) { beta: beta, loss: ipo }
stage table = report(d[*], ipo[*]) { metrics: ["accuracy"] }
${last}`;
    const source = { path: "p.align", text };
    const errors = check(source, library, host).diagnostics.filter(({ severity }) => severity === "error");
    return render(errors, [source], { color: false });
  };
  expect(checked("expect table.accuracy_difference_low > 0 and table.d_accuracy > 50%")).toBe("");
  expect(checked("expect table.d_acuracy > 50%")).toContain("d_accuracy");
});
