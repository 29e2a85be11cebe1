// What every judge must do, whatever it is made of.
import { expect, test } from "vitest";
import { openJudge } from "./index.ts";

/** `make` gives the folder of a judge that finds "good" better than "bad". */
export function judgeContract(make: () => Promise<string>): void {
  const row = { prompt: "How was it?" };
  const ask = (response: string, prompt: string | { role: string; content: string }[] = row.prompt) => ({
    prompt,
    response,
    row,
  });

  test("higher is better", async () => {
    const judge = await openJudge(await make());
    const good = await judge.score(ask("it was good"));
    const bad = await judge.score(ask("it was bad"));
    expect(good.score).toBeGreaterThan(bad.score);
  });

  test("the same response has the same score, from any opening of the artifact", async () => {
    const dir = await make();
    const first = await (await openJudge(dir)).score(ask("good and bad"));
    expect(await (await openJudge(dir)).score(ask("good and bad"))).toEqual(first);
  });

  test("an empty response has a finite score", async () => {
    const judge = await openJudge(await make());
    expect(Number.isFinite((await judge.score(ask(""))).score)).toBe(true);
  });

  test("a prompt may be messages", async () => {
    const judge = await openJudge(await make());
    const { score } = await judge.score(ask("good", [{ role: "user", content: "How was it?" }]));
    expect(Number.isFinite(score)).toBe(true);
  });
}
