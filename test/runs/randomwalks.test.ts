// The data of examples/ppo-randomwalks are what its generator makes, and its judge says what the original's metric says. `ALIGN_TEST=full`
// also runs the example with four seeds, from nothing to its end.
import { readFileSync } from "node:fs";
import os from "node:os";
import { describe, expect, test } from "vitest";
import { workspace } from "../align.ts";

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

describe.runIf(process.env.ALIGN_TEST === "full")("PPO finds the shortest ways", () => {
  const seeds = [31, 32, 33, 34];
  const after: number[] = [];

  test.each(seeds)(
    "seed %i",
    async (seed) => {
      const space = await workspace("examples/ppo-randomwalks");
      const start = performance.now();
      const events = await space.events("randomwalks.align", "--set", `seed=${seed}`);
      const seconds = (performance.now() - start) / 1000;
      await space.remove();
      expect(events.at(-1)).toMatchObject({ type: "run-finished", outcome: "done", failed: 0 });
      const metricsOf = (stage: string) => {
        const done = events.find(({ type, node }) => type === "task-finished" && node === stage);
        return done!.metrics as Readonly<Record<string, number>>;
      };
      const [sft, ppo] = [metricsOf("before").mean_score!, metricsOf("after").mean_score!];
      after.push(ppo);
      const busy = Math.max(1, os.loadavg()[0]! / os.availableParallelism());
      console.log(
        `seed ${seed}: optimality ${sft.toFixed(3)} → ${ppo.toFixed(3)} with ${metricsOf("hurried").episodes} rollouts; ${seconds.toFixed(1)} s, load ${os.loadavg()[0]!.toFixed(1)}`,
      );
      expect(sft).toBeLessThanOrEqual(0.82);
      expect(ppo).toBeGreaterThanOrEqual(0.93);
      expect(metricsOf("hurried").episodes).toBeLessThanOrEqual(12_800);
      // A minute of a machine that does nothing else.
      expect(seconds / busy).toBeLessThan(60);
    },
    600_000,
  );

  test("in the mean of the seeds 0.95", () => {
    expect(after).toHaveLength(seeds.length);
    expect(after.reduce((sum, x) => sum + x, 0) / after.length).toBeGreaterThanOrEqual(0.95);
  });
});
