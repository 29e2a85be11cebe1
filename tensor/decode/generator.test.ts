// Generation: rows independent of their batch, endings, limits, progress.

import { afterAll, describe, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { referenceBackend } from "../backends/reference/index.ts";
import { initialize } from "../models/config.ts";
import { tinyConfig, tinyParams } from "../models/testing.ts";
import { stream } from "../random.ts";
import { createGenerator, type GenerateOptions, type GeneratorOptions } from "./generator.ts";
import { sampleToken } from "./sample.ts";

const backend = await onnxBackend();
const open = (batch_size?: number) =>
  createGenerator({ backend, config: tinyConfig, params: tinyParams(), ...(batch_size && { batch_size }) });
const generator = open();
afterAll(() => generator.dispose());

const random = stream("prompts");
const prompts = Array.from({ length: 9 }, (_, i) => Array.from({ length: 1 + 4 * i }, () => random.int(37)));
const options: GenerateOptions = { max_new_tokens: 12, temperature: 1, eos: [], random: stream("answers") };

describe("a row's tokens and log-probabilities", () => {
  test("are the same bits whatever else is in the batch", async () => {
    const together = await generator.generate(prompts, options);
    for (const rows of [[0], [8], [3, 5], [8, 1, 4], [0, 1, 2, 3, 4, 5, 6]]) {
      const apart = await generator.generate(
        rows.map((i) => prompts[i]!),
        { ...options, row_ids: rows },
      );
      expect(apart).toEqual(rows.map((i) => together[i]));
    }
  });

  test("are the same when rows wait for free places and the batch shrinks at the end", async () => {
    const narrow = open(4);
    const uneven = { ...options, eos: [3, 7, 11, 20, 30] }; // rows end at different times
    const wanted = await generator.generate(prompts, uneven);
    expect(new Set(wanted.map((row) => row.ids.length)).size).toBeGreaterThan(2);
    expect(await narrow.generate(prompts, uneven)).toEqual(wanted);
    await narrow.dispose();
  });

  test.each([
    [8, "attends"],
    [16, "attends and rotates"],
  ])(
    "are those of the reference, and of any batch, with heads of %i numbers: one node %s",
    async (head_dim) => {
      const config = { ...tinyConfig, head_dim };
      const params = initialize(config, stream("heads of 8"));
      const [fused, plain] = [backend, referenceBackend()].map((b) =>
        createGenerator({ backend: b, config, params, batch_size: 4 }),
      );
      const together = await fused!.generate(prompts, options);
      const wanted = await plain!.generate(prompts, options);
      together.forEach(({ ids, logprobs }, i) => {
        expect(ids).toEqual(wanted[i]!.ids);
        logprobs.forEach((x, t) => {
          expect(x).toBeCloseTo(wanted[i]!.logprobs[t]!, 4);
        });
      });
      const apart = await fused!.generate([prompts[7]!], { ...options, row_ids: [7] });
      expect(apart).toEqual([together[7]]);
      await fused!.dispose();
    },
  );

  test("are the same bits in batches of more than 16, also when few rows are left", async () => {
    const wide = open(32);
    const many = Array.from({ length: 20 }, (_, i) => prompts[i % 9]!);
    const uneven = { ...options, eos: [3, 7, 11, 20, 30] };
    const together = await wide.generate(many, uneven);
    const apart = await wide.generate([many[8]!, many[17]!], { ...uneven, row_ids: [8, 17] });
    expect(apart).toEqual([together[8], together[17]]);
    await wide.dispose();
  });

  test("change with the seed and with the row id", async () => {
    const [x, y] = [prompts[2]!, prompts[2]!];
    const [a, b] = await generator.generate([x, y], options);
    expect(a!.ids).not.toEqual(b!.ids);
    const [c] = await generator.generate([x], { ...options, random: stream("other") });
    expect(c!.ids).not.toEqual(a!.ids);
  });
});

describe("a row ends", () => {
  test("at an end-of-sequence token, which is kept", async () => {
    const [free] = await generator.generate([prompts[1]!], options);
    const eos = free!.ids[4]!;
    const first = free!.ids.indexOf(eos);
    const [row] = await generator.generate([prompts[1]!], { ...options, eos: [eos] });
    expect(row!.stop).toBe("eos");
    expect(row!.ids).toEqual(free!.ids.slice(0, first + 1));
    expect(row!.logprobs).toHaveLength(first + 1);
  });

  test("not before min_new_tokens", async () => {
    const every = Array.from({ length: 36 }, (_, id) => id); // all but token 36 end a row
    const [row] = await generator.generate([[1]], { ...options, eos: every, min_new_tokens: 3 });
    expect([...row!.ids.slice(0, 3)]).toEqual([36, 36, 36]);
  });

  test("at max_new_tokens, or where the positions end", async () => {
    const [row] = await generator.generate([[1, 2]], options);
    expect([row!.stop, row!.ids.length]).toEqual(["length", 12]);
    const long = new Array<number>(120).fill(1);
    const [edge] = await generator.generate([long], { ...options, max_new_tokens: 50 });
    // 120 + 8 = 128 positions: an answer can always be scored together with its prompt.
    expect([edge!.stop, edge!.ids.length]).toEqual(["length", 8]);
  });
});

test("greedy takes the most probable token each time, and banned tokens never come", async () => {
  const greedy = { ...options, temperature: 0 };
  const [a] = await generator.generate([prompts[3]!], greedy);
  const [again] = await generator.generate([prompts[3]!], { ...greedy, random: stream("any") });
  expect(again).toEqual(a);
  const banned = [a!.ids[0]!];
  const [b] = await generator.generate([prompts[3]!], { ...greedy, banned });
  expect(b!.ids).not.toContain(banned[0]);
});

describe("stops of the caller", () => {
  test("a stop sequence ends a row and is part of the answer", async () => {
    const [free] = await generator.generate([prompts[1]!], options);
    const pair = [...free!.ids.slice(3, 5)];
    const never = [pair[1]!, 36, 36, 36];
    const [row] = await generator.generate([prompts[1]!], { ...options, stop_sequences: [never, pair] });
    expect(row!.stop).toBe("stop");
    expect(row!.ids).toEqual(free!.ids.slice(0, 5));
    expect(row!.logprobs).toHaveLength(5);
  });

  test("a condition on the tokens so far ends a row too", async () => {
    const stopWhen = (ids: readonly number[], index: number) => index === 1 && ids.length === 3;
    const rows = await generator.generate(prompts.slice(0, 2), { ...options, stopWhen });
    expect(rows.map(({ ids, stop }) => [ids.length, stop])).toEqual([
      [12, "length"],
      [3, "stop"],
    ]);
  });
});

test("tokens are reported one by one as they are drawn", async () => {
  const seen: [number[], number[]] = [[], []];
  const rows = await generator.generate(prompts.slice(2, 4), {
    ...options,
    onToken: (index, id, logprob) => {
      expect(logprob).toBeLessThanOrEqual(0);
      seen[index as 0 | 1].push(id);
    },
  });
  expect(seen).toEqual(rows.map(({ ids }) => [...ids]));
});

test.each([0.5, 1, 1.7])("at temperature %d draws what its log-probabilities say", async (temperature) => {
  const told: number[][] = [[], []];
  const randoms = told.map((_, i) => options.random.split(i));
  const rows = await generator.generate(prompts.slice(2, 4), {
    ...options,
    temperature,
    onToken: (index, _id, _logprob, logprobs) =>
      told[index]!.push(sampleToken({ logprobs }, { temperature }, randoms[index]!)),
  });
  expect(told).toEqual(rows.map(({ ids }) => [...ids]));
});

test("a repetition penalty keeps greedy decoding out of a loop", async () => {
  const greedy = { ...options, temperature: 0, max_new_tokens: 30 };
  const [looping] = await generator.generate([prompts[3]!], greedy);
  const [varied] = await generator.generate([prompts[3]!], { ...greedy, repetition_penalty: 50 });
  const distinct = (ids: Int32Array) => new Set(ids).size;
  expect(distinct(varied!.ids)).toBeGreaterThan(distinct(looping!.ids));
  // The prompt counts as seen: with such a penalty none of its tokens comes first.
  expect(prompts[3]).not.toContain(varied!.ids[0]);
});

test("progress counts rows and tokens, and rows are reported as they end", async () => {
  const seen: number[] = [];
  let last = { rowsDone: 0, rows: 0, tokens: 0 };
  const rows = await generator.generate(prompts.slice(0, 3), {
    ...options,
    onRow: (index, row) => {
      seen.push(index);
      expect(row.ids).toHaveLength(12);
    },
    onProgress: (progress) => {
      expect(progress.tokens).toBeGreaterThan(last.tokens);
      last = progress;
    },
  });
  expect(seen.sort()).toEqual([0, 1, 2]);
  expect(last).toEqual({ rowsDone: 3, rows: 3, tokens: 36 });
  expect(rows.every((row) => row.logprobs.every((x) => x <= 0))).toBe(true);
});

test("empty prompts, prompts beyond the model and nonsense options are refused", async () => {
  await expect(generator.generate([[]], options)).rejects.toThrow("prompt 0 is empty");
  await expect(generator.generate([new Array(128).fill(1)], options)).rejects.toThrow(
    "the model's limit is 128",
  );
  await expect(generator.generate([[1]], { ...options, temperature: -1 })).rejects.toThrow(
    "temperature is -1",
  );
  await expect(generator.generate([[1]], { ...options, top_p: 0 })).rejects.toThrow("top_p is 0");
  await expect(generator.generate([[1]], { ...options, row_ids: [] })).rejects.toThrow(
    "0 row_ids for 1 prompts",
  );
  expect(await generator.generate([], options)).toEqual([]);
});

describe("frozen weights", () => {
  // Widths of 32, so that every matrix is made of whole blocks; heads of 16, so that q, k and v are one product.
  const config = { ...tinyConfig, hidden_size: 32, intermediate_size: 64, head_dim: 16 };
  const params = initialize(config, stream("frozen"));
  const make = (weights: NonNullable<GeneratorOptions["weights"]>) =>
    createGenerator({ backend, config, params, weights });

  test.each([
    ["frozen", 1e-4],
    ["q8", 0.3],
    ["q4", 1.5],
  ] as const)("%s: log-probabilities of the same tokens differ by less than %f", async (weights, limit) => {
    const [live, packed] = [make("live"), make(weights)];
    const greedy = { ...options, temperature: 0, max_new_tokens: 8 };
    const wanted = await live.generate(prompts, greedy);
    // Only up to the first token that differs: after it the texts are not the same.
    const got = await packed.generate(prompts, greedy);
    let [worst, same] = [0, 0];
    wanted.forEach(({ ids, logprobs }, i) => {
      const agree = ids.findIndex((id, t) => id !== got[i]!.ids[t]);
      const n = agree < 0 ? ids.length : agree;
      same += n;
      for (let t = 0; t < n; t++) worst = Math.max(worst, Math.abs(logprobs[t]! - got[i]!.logprobs[t]!));
    });
    console.log(
      `${weights}: ${same} of 72 greedy tokens alike, log-probabilities within ${worst.toExponential(1)}`,
    );
    expect(worst).toBeLessThan(limit);
    expect(same).toBeGreaterThan(weights === "frozen" ? 71 : 15); // 9 come out of the prompts alone
    for (const g of [live, packed]) await g.dispose();
  });

  test("a longer answer compiles a step of its own, and the shorter one still works", async () => {
    const packed = make("q8");
    const lengths = [];
    for (const max_new_tokens of [4, 100, 4]) {
      const [row] = await packed.generate([[1, 2]], { ...options, max_new_tokens });
      lengths.push(row!.ids.length);
    }
    expect(lengths).toEqual([4, 100, 4]);
    await packed.dispose();
  });

  test("a backend that cannot round weights says so", () => {
    expect(() => createGenerator({ backend: referenceBackend(), config, params, weights: "q8" })).toThrow(
      'cannot decode with weights "q8"',
    );
  });
});
