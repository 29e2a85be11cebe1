// The short version of `npm run test:kill`: the promise is the same, the kills are few.
import { expect, test } from "vitest";
import { killTest } from "./kill.ts";

test("after every kill the pipeline ends with the same bytes, and nothing that was done is done again", async () => {
  const kills = 6;
  const verdict = await killTest({ kills, seed: 20_260_131 });
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({ kills, identical: kills });
}, 300_000);
