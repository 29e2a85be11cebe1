// What `dpo` trains: every loss from its value at step 0, a reference that follows, restarts, conversations.
import { createHash } from "node:crypto";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Progress } from "../../engine/index.ts";
import { decoder } from "../decoder/index.ts";
import { datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { dpo } from "./index.ts";
import { type LossName, lossNames, referenceFree } from "./losses.ts";

const who = ["the captain", "a sailor", "the cook", "my friend", "a child"];
const what = ["sees the calm sea", "fears a storm", "sings a happy song", "hates the long road"];
const pairs = who.flatMap((w) =>
  what.map((x) => ({
    prompt: w,
    chosen: ` ${x} today.`,
    rejected: ` ${x.split(" ").toReversed().join(" ")}`,
  })),
);

let model: string;
let data: string;
beforeAll(async () => {
  data = await datasetOf(pairs);
  const text = await datasetOf(pairs.map(({ prompt, chosen }) => ({ text: prompt + chosen })));
  const bpe = await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: text } });
  const size = { layers: 1, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 64, seed: 3 };
  model = (await runWith(decoder, size, { inputs: { tokenizer: bpe.dir } })).dir;
});

const base = { learning_rate: 3e-3, warmup: 0, steps: 8, batch_size: 10, seed: 1 };
const run = (params: object, given: object = {}) =>
  runWith(dpo, { ...base, ...params }, { inputs: { model, data }, ...given });
const weights = async (dir: string) =>
  createHash("sha256")
    .update(await readFile(join(dir, "model.safetensors")))
    .digest("hex");

describe("before the first step the policy is the reference", () => {
  // x = βΔ = 0, c = r = 0, β = 0.1.
  const atZero: Partial<Record<LossName, number>> = {
    sigmoid: Math.LN2,
    robust: Math.LN2,
    hinge: 1,
    ipo: 25, // (1 / (2 · 0.1))²
    exo_pair: Math.log(0.5) - (Math.log(0.999) + Math.log(0.001)) / 2,
    nca_pair: 2 * Math.LN2,
    bco_pair: 2 * Math.LN2,
    sppo_hard: 50,
    aot: Math.LN2,
    aot_unpaired: Math.LN2,
    apo_zero: 1,
    apo_down: 1,
    discopop: (Math.LN2 + 1) / 2,
  };

  test("every loss with a reference has its value at zero", () => {
    expect(Object.keys(atZero).sort()).toEqual(lossNames.filter((loss) => !referenceFree(loss)).sort());
  });

  test.each(Object.entries(atZero))("%s begins at %d and learns", async (loss, wanted) => {
    const learning_rate = loss === "exo_pair" ? 1e-2 : base.learning_rate;
    const { metrics } = await run({ loss, learning_rate });
    expect(metrics!.first_loss).toBeCloseTo(wanted!, 5);
    // At zero discopop's slope is -(½ · ½ + ½) + (1 - ln 2) / (4 · 0.05) = +0.78: it starts the wrong way, as it is published.
    expect(metrics!.accuracy).toBe(loss === "discopop" ? 0 : 1);
    expect(metrics!.chosen_reward! - metrics!.rejected_reward!).toBeCloseTo(metrics!.margin!, 4);
  });

  test("with means per token too", async () => {
    const { metrics } = await run({ loss: "ipo", normalization: "mean" });
    expect(metrics!.first_loss).toBeCloseTo(25, 5);
    expect(metrics!.chosen_logprob).toBeGreaterThan(-Math.log(300) - 1); // of a token, not of eight
  });

  test("label smoothing changes nothing at zero and everything after", async () => {
    const [plain, smoothed] = [await run({}), await run({ label_smoothing: 0.3 })];
    expect(smoothed.metrics!.first_loss).toBeCloseTo(Math.LN2, 5);
    expect(smoothed.metrics!.margin).toBeLessThan(plain.metrics!.margin!);
  });
});

describe("without a reference", () => {
  test.each([
    ["orpo", {}],
    ["simpo", { beta: 2 }],
    ["unlikelihood", { alpha: 1 }],
  ])("%s learns, and says nothing of a KL", async (loss, params) => {
    const { metrics } = await run({ loss, ...params });
    expect(metrics!.loss).toBeLessThan(metrics!.first_loss!);
    expect(metrics).not.toHaveProperty("forward_kl");
  });
});

describe("what the reference says", () => {
  const asked = async (params: object, given: object = {}) => {
    const told: string[] = [];
    const result = await run(params, {
      ...given,
      onProgress: ({ done, total, unit }: Progress) => unit === "sequences" && told.push(`${done}/${total}`),
    });
    return { ...result, told };
  };

  test("is asked for the pairs that are drawn, and no others", async () => {
    // Two responses to each, twenty at a time: a step of ten of the twenty pairs, then all of them.
    expect((await asked({ steps: 1 })).told).toEqual(["20/20"]);
    expect((await asked({ steps: 8 })).told).toEqual(["20/40", "40/40"]);
    expect((await asked({ sync_reference_every: 2 })).told).toEqual([]);
  });

  test("is not asked for again by a run that goes on", async () => {
    const whole = await asked({});
    const scratch = await temporaryFolder();
    const stop = new AbortController();
    const halfway = ({ done }: Progress) => done === 20 && stop.abort();
    await expect(run({}, { scratch, signal: stop.signal, onProgress: halfway })).rejects.toThrow();
    const resumed = await asked({}, { scratch });
    expect(resumed.told).toEqual(["40/40"]);
    expect(await weights(resumed.dir)).toBe(await weights(whole.dir));
    expect((await asked({}, { scratch })).told).toEqual([]);
  });

  test.each([
    ["the disk has lost a part of it", "[-1.5, -2"],
    ["it was no number", "[-1.5, null]"],
  ])("is asked for once more when %s", async (_, kept) => {
    const scratch = await temporaryFolder();
    await writeFile(join(scratch, "reference.json"), kept);
    expect((await asked({}, { scratch })).told).toEqual(["20/40", "40/40"]);
  });
});

describe("a reference that follows", () => {
  test("takes the policy's place: the margin to it starts again", async () => {
    const still = await run({ learning_rate: 1e-2 });
    const follows = await run({ learning_rate: 1e-2, sync_reference_every: 2, sync_reference_mixup: 1 });
    // The last step is the second of its two: one step away from the reference.
    expect(follows.metrics!.first_loss).toBeCloseTo(Math.LN2, 5);
    expect(follows.metrics!.margin).toBeLessThan(0.6 * still.metrics!.margin!);
  });

  test("that never moves changes no byte", async () => {
    const late = await run({ sync_reference_every: 1000 });
    expect(await weights(late.dir)).toBe(await weights((await run({})).dir));
  });

  test("goes on where it was stopped and ends with the same bytes", async () => {
    const params = { sync_reference_every: 2, checkpoint_every: 0 };
    const whole = await run(params);
    const scratch = await temporaryFolder();
    const stop = new AbortController();
    const stopped = run(params, {
      scratch,
      signal: stop.signal,
      onProgress: ({ done }: { done: number }) => done === 5 && stop.abort(),
    });
    await expect(stopped).rejects.toThrow();
    const copy = await temporaryFolder();
    await cp(scratch, copy, { recursive: true });
    expect(await weights((await run(params, { scratch: copy })).dir)).toBe(await weights(whole.dir));
  });
});

describe("a reference of its own", () => {
  const smaller = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 16, max_length: 64 };
  const tokens = async (vocab_size: number) => {
    const text = await datasetOf(pairs.map(({ prompt, chosen }) => ({ text: prompt + chosen })));
    return (await runWith(tokenizer, { vocab_size }, { inputs: { data: text } })).dir;
  };
  const reference = async (vocab_size: number) =>
    (await runWith(decoder, smaller, { inputs: { tokenizer: await tokens(vocab_size) } })).dir;

  test("may have another size where it cuts text as the policy does", async () => {
    const { metrics } = await run({}, { inputs: { model, data, reference: await reference(300) } });
    expect(metrics!.accuracy).toBeGreaterThan(0.5);
  });

  test("is refused where it cuts text into other tokens", async () => {
    await expect(run({}, { inputs: { model, data, reference: await reference(280) } })).rejects.toMatchObject(
      {
        code: "vocabulary-mismatch",
        message: expect.stringContaining(
          "the reference reference cuts text into other tokens (280) than the policy (300)",
        ),
      },
    );
  });

  test("cannot follow the policy where its weights are others", async () => {
    const inputs = { model, data, reference: await reference(300) };
    await expect(run({ sync_reference_every: 2 }, { inputs })).rejects.toMatchObject({
      code: "reference-cannot-follow",
      message: expect.stringMatching(/embed_tokens.weight is \[300,16\], the policy's is \[300,32\]/),
      help: expect.stringContaining("leave sync_reference_every out"),
    });
  });
});

test("losses that hold a batch's pairs against each other are not tried in pieces", () => {
  const params = { ...base, micro_batch_size: 10 };
  expect(dpo.inLessMemory!({ ...params, loss: "aot" }, 1)).toBeUndefined();
  expect(dpo.inLessMemory!({ ...params, loss: "sigmoid" }, 1)).toMatchObject({ micro_batch_size: 5 });
});
