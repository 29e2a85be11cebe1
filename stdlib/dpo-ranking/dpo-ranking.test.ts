import { beforeAll, expect, test } from "vitest";
import { decoder } from "../decoder/index.ts";
import { dpo } from "../dpo/index.ts";
import { columnsOf, datasetOf, planWith, runWith } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { dpoRanking } from "./index.ts";

const who = ["the captain", "a sailor", "the cook", "my friend", "a child"];
const what = ["sees the calm sea", "fears a storm", "sings a happy song", "hates the long road"];
const rows = who.flatMap((prompt) =>
  what.map((x) => ({
    prompt,
    responses: [` ${x} today.`, ` ${x.split(" ").toReversed().join(" ")}`, " ."],
    scores: [3, 2, 1],
  })),
);

let model: string;
beforeAll(async () => {
  const text = await datasetOf(rows.map(({ prompt, responses }) => ({ text: prompt + responses[0] })));
  const bpe = await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: text } });
  const size = { layers: 1, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 64, seed: 3 };
  model = (await runWith(decoder, size, { inputs: { tokenizer: bpe.dir } })).dir;
});

const base = { learning_rate: 3e-3, warmup: 0, steps: 12, batch_size: 10, seed: 1 };

test("begins at ln 3! and learns the order of three", async () => {
  const { metrics } = await runWith(dpoRanking, base, { inputs: { model, data: await datasetOf(rows) } });
  expect(metrics!.first_loss).toBeCloseTo(Math.log(6), 5);
  expect(metrics!.loss).toBeLessThan(Math.log(6));
  expect(metrics!.accuracy).toBeGreaterThan(0.6);
  expect(metrics).toMatchObject({ rankings: 20, all_tied: 0 });
});

test("of pairs it is dpo, step by step", async () => {
  const pairs = rows.map(({ prompt, responses: [chosen, rejected] }) => ({ prompt, chosen, rejected }));
  const inputs = { model, data: await datasetOf(pairs as never) };
  const [ranked, paired] = [
    await runWith(dpoRanking, base, { inputs }),
    await runWith(dpo, base, { inputs }),
  ];
  expect(ranked.metrics!.loss).toBeCloseTo(paired.metrics!.loss!, 5);
  expect(ranked.metrics!.first_loss).toBeCloseTo(Math.LN2, 5);
});

test("pieces are the whole, with rankings of different lengths", async () => {
  const mixed = await datasetOf(
    rows.map((row, i) => (i % 2 ? { ...row, responses: row.responses.slice(0, 2), scores: [1, 2] } : row)),
  );
  const params = { ...base, steps: 4, optimizer: "sgd", learning_rate: 0.5 };
  const inputs = { model, data: mixed };
  const whole = await runWith(dpoRanking, params, { inputs });
  const pieces = await runWith(dpoRanking, { ...params, micro_batch_size: 3 }, { inputs });
  expect(pieces.metrics!.loss).toBeCloseTo(whole.metrics!.loss!, 4);
});

test("a plan is that of dpo where rankings are pairs, and larger where they are of three", async () => {
  const pairs = rows.map(({ prompt, responses: [chosen, rejected] }) => ({ prompt, chosen, rejected }));
  const [two, three] = [await datasetOf(pairs as never), await datasetOf(rows)];
  const params = { ...base, steps: undefined, epochs: 1 };
  const plan = async (data: string) => (await planWith(dpoRanking, params, { model, data })).cost!;
  const paired = (await planWith(dpo, params, { model, data: two })).cost!;
  expect((await plan(two)).tokens).toBe(paired.tokens);
  expect((await plan(two)).flops! / paired.flops!).toBeCloseTo(1, 1);
  // Three responses to each prompt in place of two, the third a short one.
  expect((await plan(three)).tokens! / (await plan(two)).tokens!).toBeCloseTo(3 / 2, 6);
  const { note } = await planWith(dpoRanking, params, { model, data: { rows: 20 } });
  expect(note).toBe("as if every example had 64 tokens, and every ranking two responses");
});

test("rows without an order are refused before anything runs", () => {
  const row = { columns: { prompt: "string" } } as const;
  expect(columnsOf(dpoRanking, { inputs: { data: { kind: "dataset", row } } })).toMatch(
    /learns from rankings/,
  );
});
