// Assistants as judges: what they are shown, how strictly their verdicts are read, and what two orders come to.
import { afterEach, describe, expect, test } from "vitest";
import { defaultsOf } from "../../engine/index.ts";
import { api } from "../assistant/index.ts";
import { type FakeEndpoint, fakeEndpoint } from "../assistant/testing.ts";
import { datasetOf, rowsIn, runWith } from "../testing.ts";
import { judge } from "./index.ts";
import { pointsOf } from "./pairs.ts";
import { ratingsOf } from "./rubric.ts";
import { preferenceForm, ratingForm } from "./verdict.ts";

let endpoint: FakeEndpoint;
afterEach(() => endpoint?.close());

const rate = (rating: number) => JSON.stringify({ rationale: "because", rating });

async function judged(rows: readonly object[], params: Record<string, unknown> = {}) {
  const by = (await runWith(api, { model: "m", base_url: endpoint.url })).dir;
  const { dir, metrics } = await runWith(judge, params, {
    inputs: { data: await datasetOf(rows as never), by },
    settings: { by: { ...defaultsOf(api.params), timeout: 5000, retries: 0 } },
  });
  return { rows: await rowsIn(dir), metrics };
}

test("each response is shown with its question, and its rating is its score", async () => {
  endpoint = await fakeEndpoint({ answer: (text) => rate(text.includes("blue") ? 9 : 2) });
  const { rows, metrics } = await judged([{ prompt: "The sky?", responses: ["It is blue.", "Cheese."] }]);
  expect(rows[0]).toMatchObject({ scores: [9, 2], rationales: ["because", "because"] });
  expect(metrics).toMatchObject({ mean_score: 5.5, malformed: 0, responses: 2 });
  const [shown] = endpoint.log.map(({ text }) => text).filter((text) => text.includes("blue"));
  expect(shown).toContain("[Question]\nThe sky?");
  expect(shown).toContain('{"rationale": "<your reasons>", "rating": <number from 1 to 10>}');
  expect(shown).not.toContain("Reference");
});

test("aspects are the mean's parts; a reference is shown where there is a column for it", async () => {
  endpoint = await fakeEndpoint({ answer: () => '{"rationale": "", "truth": 5, "style": 2}' });
  const rubric = {
    input: "{{ prompt }} {{ response }} vs {{ reference }}",
    target: "truth: 1-5, style: 1..5",
  };
  const { rows } = await judged([{ prompt: "1+1", responses: ["2"], answer: "two" }], {
    rubric,
    reference: "answer",
  });
  // (5 + 2) / 2
  expect(rows[0]).toMatchObject({ scores: [3.5], aspects: [{ truth: 5, style: 2 }] });
  expect(endpoint.log[0]!.text).toMatch(/^1\+1 2 vs two\n/);
});

describe("a malformed verdict", () => {
  test("is asked for again with what is wrong with it", async () => {
    const said = ["8/10", rate(11), rate(8)];
    endpoint = await fakeEndpoint({ answer: () => said[endpoint.log.length - 1]! });
    const { rows, metrics } = await judged([{ prompt: "a", responses: ["b"] }]);
    expect(rows[0]).toMatchObject({ scores: [8] });
    expect(metrics).toMatchObject({ malformed: 0 });
    const hints = endpoint.log.map(({ text }) => text);
    expect(hints[1]).toContain("That is not what was asked for: it is not one JSON object.");
    expect(hints[2]).toContain('"rating" is 11, not a number from 1 to 10');
    const { messages } = endpoint.log[2]!.body as { messages: { role: string; content: string }[] };
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user"]);
  });

  test("is recorded, and never guessed, when it stays so", async () => {
    endpoint = await fakeEndpoint({
      answer: (_, body) => (JSON.stringify(body.messages).includes("bad") ? "I like it: 8" : rate(7)),
    });
    const { rows, metrics } = await judged([{ prompt: "a", responses: ["bad", "good"] }], { repairs: 1 });
    expect(rows[0]).toMatchObject({
      scores: [null, 7],
      malformed: [expect.stringContaining("I like it"), null],
    });
    expect(metrics).toMatchObject({ malformed: 1, responses: 1, mean_score: 7 });
    // The good one once, the bad one twice.
    expect(endpoint.log).toHaveLength(3);
  });

  test("is what every text is that is not exactly the object that was asked for", () => {
    const form = ratingForm([{ name: "rating", low: 1, high: 10 }]);
    expect(form.read('```json\n{"rationale": "x", "rating": 7.5}\n```')).toMatchObject({
      verdict: { ratings: { rating: 7.5 } },
    });
    const wrong = [
      "",
      "7",
      "[7]",
      '{"rating": 7}',
      '{"rationale": "x", "rating": "7"}',
      '{"rationale": "x", "rating": true}',
      '{"rationale": "x", "rating": 0}',
      '{"rationale": 1, "rating": 7}',
      '{"rationale": "x", "rating": 7, "more": 1}',
      `Sure! ${rate(7)}`,
      `${rate(7)} ${rate(8)}`,
    ];
    for (const text of wrong) expect(form.read(text), text).toHaveProperty("problem");
    expect(preferenceForm.read('{"rationale": "", "preferred": "a"}')).toHaveProperty("problem");
  });
});

describe("side by side", () => {
  test("every two responses are shown in both orders; a score is the share of the others that are beaten", async () => {
    // It prefers the longer one, except that it takes the first of "bb" and "cc".
    endpoint = await fakeEndpoint({
      answer: (text) => {
        const [a, b] = ["A", "B"].map(
          (name) => new RegExp(`Start of Assistant ${name}'s Answer\\]\\n(.*)\\n`).exec(text)![1]!,
        );
        const preferred = a!.length === b!.length ? "A" : a!.length > b!.length ? "A" : "B";
        return JSON.stringify({ rationale: "", preferred });
      },
    });
    const { rows } = await judged([{ prompt: "x", responses: ["aaa", "bb", "cc"] }], { compare: "pairs" });
    // aaa beats both: 2/2. bb and cc are first once each, a tie: ½ of 2.
    expect(rows[0]!.scores).toEqual([1, 0.25, 0.25]);
    expect(rows[0]!.comparisons).toEqual([
      { a: 0, b: 1, orders: ["a", "a"], points: 1 },
      { a: 0, b: 2, orders: ["a", "a"], points: 1 },
      { a: 1, b: 2, orders: ["a", "b"], points: 0.5 },
    ]);
    expect(endpoint.log).toHaveLength(6);
  });

  test("orders that disagree are a tie, and one that could not be read leaves the other", () => {
    expect(pointsOf(["a", "b"])).toBe(0.5);
    expect(pointsOf(["a", "tie"])).toBe(0.5);
    expect(pointsOf([null, "b"])).toBe(0);
    expect(pointsOf([null, null])).toBe(null);
  });
});

test("a rubric's target says what is rated, or what is wrong with it is said", () => {
  expect(ratingsOf("helpfulness: 1-5\nhonesty: 0-1")).toEqual([
    { name: "helpfulness", low: 1, high: 5 },
    { name: "honesty", low: 0, high: 1 },
  ]);
  expect(ratingsOf("good?")).toContain("is no `name: low-high`");
  expect(ratingsOf("a: 5-1")).toContain("from 5 to 1");
  const params = { ...defaultsOf(judge.params), rubric: { input: "x", target: "good?" } };
  expect(judge.validate(params)).toEqual([expect.objectContaining({ param: "rubric" })]);
});
