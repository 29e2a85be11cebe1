import { beforeAll, describe, expect, test } from "vitest";
import { decoder } from "../decoder/index.ts";
import { columnsOf, datasetOf, planWith, runWith, transformWith } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { kto, unpair } from "./index.ts";

const who = ["the captain", "a sailor", "the cook", "my friend", "a child"];
const what = ["sees the calm sea", "fears a storm", "sings a happy song", "hates the long road"];
const answers = who.flatMap((w) =>
  what.flatMap((x) => [
    { prompt: w, completion: ` ${x} today.`, label: true },
    { prompt: w, completion: ` ${x.split(" ").toReversed().join(" ")}`, label: false },
  ]),
);

let model: string;
let data: string;
beforeAll(async () => {
  data = await datasetOf(answers);
  const text = await datasetOf(answers.map(({ prompt, completion }) => ({ text: prompt + completion })));
  const bpe = await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: text } });
  const size = { layers: 1, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 64, seed: 3 };
  model = (await runWith(decoder, size, { inputs: { tokenizer: bpe.dir } })).dir;
});

const base = { learning_rate: 3e-3, warmup: 0, steps: 12, batch_size: 10, seed: 1 };
const run = (params: object, inputs: object = {}) =>
  runWith(kto, { ...base, ...params }, { inputs: { model, data, ...inputs } });

test("a plan counts the steps, a pass for the KL before each, and two of the reference", async () => {
  const params = { ...base, steps: undefined, epochs: 1 };
  const once = await planWith(kto, params, { model, data });
  const twice = await planWith(kto, { ...params, epochs: 2 }, { model, data });
  // A step costs three passes: an epoch 3 + 1, the reference 2. (2 · 4 + 2) / (4 + 2) = 5/3.
  expect(twice.cost!.flops! / once.cost!.flops!).toBeCloseTo(5 / 3, 6);
  expect(once.note).toBeUndefined();
  expect(once.facts!.config).toBeDefined(); // for the plans of what comes after
  const { note } = await planWith(kto, params, { model, data: { rows: 40 } });
  expect(note).toBe("as if every example had 64 tokens");
});

describe("kto", () => {
  test("begins at one half and tells the answers apart, also held-out ones", async () => {
    const { metrics } = await run({ steps: 24 }, { eval: data });
    expect(metrics!.first_loss).toBeCloseTo(0.5, 6);
    expect(metrics!.loss).toBeLessThan(0.49);
    expect(metrics!.desirable_reward).toBeGreaterThan(metrics!.undesirable_reward!);
    expect(metrics!.kl).toBeGreaterThanOrEqual(0);
    expect(metrics!.eval_accuracy).toBeGreaterThan(0.6);
    expect(metrics).toMatchObject({ answers: 40, desirable: 20, steps: 24 });
  });

  test("weights scale the two kinds of losses: at step 0 the mean of ½·2 and ½·0 is ½", async () => {
    const { metrics } = await run({ desirable_weight: 2, undesirable_weight: 0, steps: 1, batch_size: 40 });
    expect(metrics!.first_loss).toBeCloseTo(0.5, 6);
    const half = await run({ undesirable_weight: 0, steps: 1, batch_size: 40 });
    expect(half.metrics!.first_loss).toBeCloseTo(0.25, 6);
  });

  test("the KL is of the whole batch, so that pieces change nothing", async () => {
    const params = { steps: 4, optimizer: "sgd", learning_rate: 0.5 };
    const [whole, pieces] = [await run(params), await run({ ...params, micro_batch_size: 3 })];
    for (const name of ["loss", "kl", "desirable_reward", "undesirable_reward", "accuracy"])
      expect(pieces.metrics![name]).toBeCloseTo(whole.metrics![name]!, 4);
  });

  test("with adapters it begins at one half too", async () => {
    expect((await run({ lora: { r: 4 }, steps: 3 })).metrics!.first_loss).toBeCloseTo(0.5, 6);
  });

  test("a label that is no truth value is refused", async () => {
    const wrong = await datasetOf([{ prompt: "a", completion: " b", label: "yes" }]);
    await expect(run({}, { data: wrong })).rejects.toThrow("label");
  });
});

describe("unpair", () => {
  test("makes two rows of each preference", async () => {
    expect(await transformWith(unpair, [{ prompt: "p", chosen: "good", rejected: "bad", score: 1 }])).toEqual(
      [
        { prompt: "p", completion: "good", label: true },
        { prompt: "p", completion: "bad", label: false },
      ],
    );
  });

  test("says so beforehand", () => {
    expect(
      columnsOf(unpair, { row: { columns: { prompt: "string", chosen: "messages", rejected: "messages" } } }),
    ).toEqual({
      prompt: "string",
      completion: "messages",
      label: "boolean",
    });
  });
});
