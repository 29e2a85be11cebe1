import { afterEach, expect, test } from "vitest";
import { defaultsOf } from "../../engine/index.ts";
import { api } from "../assistant/index.ts";
import { type FakeEndpoint, fakeEndpoint } from "../assistant/testing.ts";
import { datasetOf, rowsIn, runWith } from "../testing.ts";
import { mtBench } from "./index.ts";

let endpoint: FakeEndpoint;
afterEach(() => endpoint.close());

test("the second turn is asked with the first and its answer before it; ratings are taken by turn and by category", async () => {
  // It rates second turns one lower, and nothing about math.
  endpoint = await fakeEndpoint({
    answer: (text) => {
      if (!text.includes("rationale")) return `answer to ${text}`;
      if (text.includes("sum")) return "hard to say";
      return JSON.stringify({ rationale: "", rating: text.includes("assistant: ") ? 6 : 7 });
    },
  });
  const settings = { ...defaultsOf(api.params), timeout: 5000, retries: 0 } as never;
  const dir = (await runWith(api, { model: "m", base_url: endpoint.url })).dir;
  const questions = await datasetOf([
    { prompt: "poem", category: "writing", turns: ["poem", "shorter"], references: [] },
    { prompt: "sum", category: "math", turns: ["sum", "of squares"], references: ["1", "2"] },
  ] as never);
  const result = await runWith(
    mtBench,
    { repairs: 0 },
    { inputs: { model: dir, judge: dir, questions }, settings: { model: settings, judge: settings } },
  );
  expect(await rowsIn(result.dir)).toMatchObject([
    { category: "writing", answers: ["answer to poem", "answer to shorter"], scores: [7, 6] },
    { category: "math", scores: [null, null] },
  ]);
  expect(result.metrics).toEqual({
    score: 6.5,
    turn_1: 7,
    turn_2: 6,
    writing: 6.5,
    questions: 2,
    malformed: 2,
  });
  const second = endpoint.log.find(({ text }) => text === "shorter")!.body;
  expect(second.messages).toEqual([
    { role: "user", content: "poem" },
    { role: "assistant", content: "answer to poem" },
    { role: "user", content: "shorter" },
  ]);
  expect(second.temperature).toBe(0.7);
  const guided = endpoint.log.filter(({ text }) => text.includes("[The Start of Reference Answer]\n2"));
  expect(guided).toHaveLength(1);
});
