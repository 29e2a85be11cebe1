// What every training stage can do, shown on a model of a few thousand weights.
import { createHash } from "node:crypto";
import { cp, readdir, readFile, truncate } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Operation, Progress } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { mergeLora } from "../../tensor/index.ts";
import { readWeights } from "../../tensor/io/index.ts";
import { decoder } from "../decoder/index.ts";
import { dpo } from "../dpo/index.ts";
import { pretrain } from "../pretrain/index.ts";
import { sft } from "../sft/index.ts";
import { datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { readAdapter } from "./adapter.ts";
import { openModel } from "./model.ts";

const who = ["the captain", "a sailor", "the cook", "my friend", "a child"];
const what = ["sees the calm sea", "fears a storm", "sings a happy song", "hates the long road"];
const sentences = who.flatMap((w) => what.map((x) => ({ text: `${w} ${x} every day.` })));
const demos = sentences.map(({ text }) => {
  const words = text.split(" ");
  return { prompt: words.slice(0, 2).join(" "), completion: ` ${words.slice(2).join(" ")}` };
});
const pairs = demos.map(({ prompt, completion }) => ({
  prompt,
  chosen: completion,
  rejected: completion.split(" ").toReversed().join(" "),
}));

let model: string;
let data: Record<"text" | "demos" | "pairs" | "few", string>;

beforeAll(async () => {
  data = {
    text: await datasetOf(sentences),
    demos: await datasetOf(demos),
    pairs: await datasetOf(pairs),
    few: await datasetOf(demos.slice(0, 5)),
  };
  const bpe = await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: data.text } });
  const size = { layers: 2, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 64, seed: 3 };
  model = (await runWith(decoder, size, { inputs: { tokenizer: bpe.dir } })).dir;
});

const base = { learning_rate: 3e-3, warmup: 0, steps: 12, batch_size: 8, seed: 1 };
const run = (stage: Operation, params: object, given: object = {}) =>
  runWith(
    stage,
    { ...base, ...params },
    {
      inputs: { model, data: stage === dpo ? data.pairs : stage === sft ? data.demos : data.text },
      ...given,
    },
  );

async function digest(dir: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(join(dir, "model.safetensors")))
    .digest("hex");
}

/** The greatest difference of two models' weights, relative to the greatest weight. */
async function gap(a: string, b: string): Promise<number> {
  const [x, y] = [await readWeights(a), await readWeights(b)];
  let [worst, largest] = [0, 0];
  for (const [name, { data }] of y) {
    for (const [i, value] of data.entries()) {
      worst = Math.max(worst, Math.abs(x.get(name)!.data[i]! - value));
      largest = Math.max(largest, Math.abs(value));
    }
  }
  return worst / largest;
}

describe("micro-batches", () => {
  test.each([
    ["pretrain", pretrain, { sequence_length: 16 }],
    ["sft", sft, {}],
    ["dpo", dpo, {}],
  ] as const)("%s: 3 + 3 + 2 examples are a batch of 8", async (name, stage, extra) => {
    const params = { ...extra, steps: 4, optimizer: "sgd", learning_rate: 0.05 };
    const whole = await run(stage, params);
    const pieces = await run(stage, { ...params, micro_batch_size: 3 });
    const difference = await gap(pieces.dir, whole.dir);
    console.log(`${name}: weights after four steps differ by ${difference.toExponential(1)}`);
    expect(difference).toBeLessThan(1e-5);
    expect(pieces.metrics!.loss).toBeCloseTo(whole.metrics!.loss!, 4);
    expect(pieces.metrics!.steps).toBe(4);
  });
});

test("recomputation changes no byte of the model", async () => {
  const [plain, twice] = [await run(sft, {}), await run(sft, { recompute: true })];
  expect(await digest(twice.dir)).toBe(await digest(plain.dir));
});

test("several steps in one run change no byte, and are looked at where they would be", async () => {
  const params = { sequence_length: 16, eval_every: 5 };
  const seen = async (extra: object) => {
    const told: Progress[] = [];
    const inputs = { model, data: data.text, eval: data.text };
    const { dir, metrics } = await run(
      pretrain,
      { ...params, ...extra },
      {
        inputs,
        onProgress: (progress: Progress) => told.push(progress),
      },
    );
    return { bytes: await digest(dir), metrics, told };
  };
  // 12 steps, evaluated after 5 and 10: runs of 3, 2, 3, 2, 2.
  expect(await seen({ steps_per_run: 3 })).toEqual(await seen({}));
});

test.each(["adafactor", "rmsprop", "sgd"] as const)("%s lowers the loss", async (optimizer) => {
  const learning_rate = { adafactor: 3e-3, rmsprop: 1e-3, sgd: 0.5 }[optimizer];
  const { metrics } = await run(sft, {
    optimizer,
    learning_rate,
    steps: 20,
    schedule: "inverse_sqrt",
    warmup: 0.1,
  });
  expect(metrics!.loss).toBeLessThan(4.5); // ln 300 = 5.7 before
});

test("a warm-up of six steps is that of half of twelve, and one longer than the run ends on the way up", async () => {
  const after = async (params: object) => digest((await run(sft, params)).dir);
  expect(await after({ warmup: 0.1, warmup_steps: 6 })).toBe(await after({ warmup: 0.5 }));
  // In float32 3e-3 · n/12 and 6e-3 · n/24 are one number.
  const longer = { learning_rate: 6e-3, warmup_steps: 24 };
  expect(await after(longer)).toBe(await after({ warmup_steps: 12 }));
});

test("adafactor in proportion to the weights takes other steps than without", async () => {
  const params = { optimizer: "adafactor", learning_rate: 5e-2 };
  const [plain, scaled] = [await run(sft, params), await run(sft, { ...params, scale_parameter: true })];
  expect(scaled.metrics!.loss).toBeLessThan(5.7);
  expect(await digest(scaled.dir)).not.toBe(await digest(plain.dir));
});

test("dropout and the running average change the result, with the same seed in the same way", async () => {
  const plain = await digest((await run(sft, {})).dir);
  for (const params of [{ residual_dropout: 0.3, residual_dropout_ramp: true }, { ema_decay: 0.9 }]) {
    const [a, b] = [await run(sft, params), await run(sft, params)];
    expect(await digest(a.dir)).toBe(await digest(b.dir));
    expect(await digest(a.dir)).not.toBe(plain);
  }
});

describe("packing", () => {
  test("one full batch has the loss of its examples apart", async () => {
    // All 20 demonstrations in one step either way; the loss is reported before the step.
    const apart = await run(sft, { steps: 1, batch_size: 20 });
    const packed = await run(sft, { steps: 1, batch_size: 20, packing: true });
    expect(packed.metrics!.tokens).toBe(apart.metrics!.tokens);
    expect(packed.metrics!.loss).toBeCloseTo(apart.metrics!.loss!, 5);
    expect(await gap(packed.dir, apart.dir)).toBeLessThan(1e-4);
  });
});

describe("evaluation", () => {
  test("sft and pretrain report the loss on data that they do not train on", async () => {
    const seen: Progress[] = [];
    const { metrics } = await run(
      sft,
      { eval_every: 4 },
      { inputs: { model, data: data.demos, eval: data.few }, onProgress: (p: Progress) => seen.push(p) },
    );
    const losses = seen.flatMap(({ metrics }) => metrics?.eval_loss ?? []);
    expect(losses).toHaveLength(4); // before, and after steps 4, 8 and 12
    expect(metrics!.eval_loss).toBe(losses.at(-1));
    expect(losses.toSorted((a, b) => b - a)).toEqual(losses);
    const text = await run(
      pretrain,
      { sequence_length: 16 },
      { inputs: { model, data: data.text, eval: data.text } },
    );
    expect(text.metrics!.eval_loss).toBeLessThan(5);
  });

  test("evaluating moves nothing", async () => {
    const evaluated = await run(
      sft,
      { eval_every: 1 },
      { inputs: { model, data: data.demos, eval: data.few } },
    );
    expect(await digest(evaluated.dir)).toBe(await digest((await run(sft, {})).dir));
  });

  test("dpo reports loss, accuracy and margin on held-out pairs", async () => {
    const { metrics } = await run(dpo, {}, { inputs: { model, data: data.pairs, eval: data.pairs } });
    expect(metrics!.first_loss).toBeCloseTo(Math.LN2, 6);
    expect(metrics!.eval_loss).toBeLessThan(Math.LN2);
    expect(metrics!.eval_accuracy).toBeGreaterThan(0.5);
    expect(metrics!.eval_margin).toBeGreaterThan(0);
  });
});

describe("select_by", () => {
  // Five demonstrations, a step each epoch: the others are followed worse soon.
  const params = { steps: 8, batch_size: 5, schedule: "constant", learning_rate: 5e-2 };
  const inputs = () => ({ model, data: data.few, eval: data.demos });

  test("keeps the weights of the epoch whose loss on held-out rows was lowest", async () => {
    const losses: number[] = [];
    const onProgress = ({ unit, metrics }: Progress) => {
      if (unit === "steps" && metrics?.eval_loss !== undefined) losses.push(metrics.eval_loss);
    };
    const chosen = await run(sft, { ...params, select_by: "eval_loss" }, { inputs: inputs(), onProgress });
    expect(losses).toHaveLength(8);
    const best = losses.indexOf(Math.min(...losses)) + 1;
    expect(best).toBeLessThan(8);
    expect(chosen.metrics).toMatchObject({ best_step: best, eval_loss: losses[best - 1]!, steps: 8 });
    const shorter = await run(sft, { ...params, steps: best }, { inputs: inputs() });
    expect(await digest(chosen.dir)).toBe(await digest(shorter.dir));
  });

  test("takes the highest of what is no loss, the earlier of equals, and the average where one is kept", async () => {
    const pairs = { model, data: data.pairs, eval: data.pairs };
    const few = { ...params, batch_size: 10, learning_rate: 3e-2 };
    const { metrics } = await run(dpo, { ...few, select_by: "eval_accuracy" }, { inputs: pairs });
    expect(metrics).toMatchObject({ eval_accuracy: 1 });
    expect(metrics!.best_step).toBeLessThan(8);
    const averaged = { ...params, ema_decay: 0.5 };
    const { dir, metrics: of } = await run(
      sft,
      { ...averaged, select_by: "eval_loss" },
      { inputs: inputs() },
    );
    const shorter = await run(sft, { ...averaged, steps: of!.best_step! }, { inputs: inputs() });
    expect(await digest(dir)).toBe(await digest(shorter.dir));
  });

  test.each([2, 7])(
    "after a stop at step %i it ends with the same bytes, wherever the best was",
    async (at) => {
      const selecting = { ...params, select_by: "eval_loss" };
      const whole = await run(sft, selecting, { inputs: inputs() });
      const scratch = await temporaryFolder();
      const abort = new AbortController();
      const onProgress = ({ done, unit }: Progress) => {
        if (unit === "steps" && done >= at) abort.abort();
      };
      const stopping = { inputs: inputs(), scratch, signal: abort.signal, onProgress };
      await expect(run(sft, selecting, stopping)).rejects.toThrow();
      const rest = await run(sft, selecting, { inputs: inputs(), scratch });
      expect(await digest(rest.dir)).toBe(await digest(whole.dir));
      expect(rest.metrics).toEqual(whole.metrics);
    },
  );
});

describe("lora", () => {
  test("sft leaves the merged model and, beside it, the adapter that makes it of the base", async () => {
    const { dir, metrics } = await run(sft, { lora: { r: 4, alpha: 8, dropout: 0.1 }, learning_rate: 2e-2 });
    expect(metrics!.loss).toBeLessThan(5.5);
    expect((await readdir(join(dir, "adapter"))).sort()).toEqual([
      "adapter_config.json",
      "adapter_model.safetensors",
    ]);
    const adapter = (await readAdapter(join(dir, "adapter")))!;
    expect([adapter.r, adapter.alpha]).toEqual([4, 8]);
    const [before, after] = [model, dir].map((dir) => openModel({ dir, node: "model" }));
    const merged = mergeLora((await before!).params, adapter.params, adapter.alpha);
    for (const [name, { data }] of Object.entries((await after!).params)) {
      expect(merged[name]!.data, name).toEqual(data);
    }
  });

  test("a base with PEFT's two files beside it is opened merged", async () => {
    const { dir } = await run(sft, { lora: { r: 2 }, learning_rate: 2e-2, steps: 4 });
    const folder = await temporaryFolder();
    await cp(model, folder, { recursive: true });
    await cp(join(dir, "adapter"), folder, { recursive: true });
    const [joined, merged] = [folder, dir].map((dir) => openModel({ dir, node: "model" }));
    expect((await joined!).params).toEqual((await merged!).params);
  });

  test("dpo starts at ln 2 from the base itself and moves away", async () => {
    const { metrics } = await run(dpo, { lora: {}, learning_rate: 2e-2 });
    expect(metrics!.first_loss).toBeCloseTo(Math.LN2, 6);
    expect(metrics!.loss).toBeLessThan(0.6);
  });
});

describe("checkpoints", () => {
  /** A run that is told to stop after so many steps. */
  async function stopped(stage: Operation, params: object, scratch: string, after: number) {
    const abort = new AbortController();
    const onProgress = ({ done, unit }: Progress) => {
      if (unit === "steps" && done >= after) abort.abort();
    };
    await expect(run(stage, params, { scratch, signal: abort.signal, onProgress })).rejects.toThrow();
  }

  test.each([
    [
      "sft with dropout, average and micro-batches",
      sft,
      { residual_dropout: 0.2, ema_decay: 0.9, micro_batch_size: 3 },
    ],
    ["dpo with adapters", dpo, { lora: { r: 2 }, learning_rate: 1e-2 }],
    ["pretrain with adafactor", pretrain, { sequence_length: 16, optimizer: "adafactor" }],
  ] as const)("%s: goes on where it was stopped and ends with the same bytes", async (_, stage, params) => {
    const scratch = await temporaryFolder();
    const whole = await run(stage, params);
    await stopped(stage, params, scratch, 5);
    const seen: Progress[] = [];
    const rest = await run(stage, params, {
      scratch,
      onProgress: (progress: Progress) => seen.push(progress),
    });
    expect(seen.find(({ unit }) => unit === "steps")!.done).toBe(5);
    expect(await digest(rest.dir)).toBe(await digest(whole.dir));
    expect(rest.metrics).toEqual(whole.metrics);
  });

  test("a stop while it measures keeps the steps before", async () => {
    const [scratch, params] = [await temporaryFolder(), { eval_every: 5 }];
    const inputs = { model, data: data.demos, eval: data.few };
    const whole = await run(sft, params, { inputs });
    const abort = new AbortController();
    let measured = 0;
    const onProgress = ({ done, unit }: Progress) => {
      // Measured before the first step, after the fifth, and so on.
      if (unit === "held-out examples" && done === 5 && ++measured === 2) abort.abort();
    };
    await expect(run(sft, params, { inputs, scratch, signal: abort.signal, onProgress })).rejects.toThrow();
    const seen: number[] = [];
    const rest = await run(sft, params, {
      inputs,
      scratch,
      onProgress: ({ done }: Progress) => seen.push(done),
    });
    expect(seen[0]).toBe(5);
    expect(await digest(rest.dir)).toBe(await digest(whole.dir));
    expect(rest.metrics).toEqual(whole.metrics);
  });

  test("a stop waits for the end of several steps in one run", async () => {
    const [scratch, params] = [await temporaryFolder(), { sequence_length: 16, steps_per_run: 5 }];
    const whole = await run(pretrain, params);
    await stopped(pretrain, params, scratch, 3);
    const seen: number[] = [];
    const rest = await run(pretrain, params, {
      scratch,
      onProgress: ({ done }: Progress) => seen.push(done),
    });
    expect(seen[0]).toBe(5);
    expect(await digest(rest.dir)).toBe(await digest(whole.dir));
  });

  test("two are kept, and a torn one is passed over", async () => {
    const scratch = await temporaryFolder();
    await stopped(sft, { checkpoint_every: 0 }, scratch, 6);
    const dir = join(scratch, "checkpoints");
    expect((await readdir(dir)).sort()).toEqual(["step-5.safetensors", "step-6.safetensors"]);
    await truncate(join(dir, "step-6.safetensors"), 1000);
    const seen: number[] = [];
    const rest = await run(sft, {}, { scratch, onProgress: ({ done }: Progress) => seen.push(done) });
    expect(seen[0]).toBe(5);
    expect(await digest(rest.dir)).toBe(await digest((await run(sft, {})).dir));
  });
});

describe("parameters", () => {
  const told = (stage: Operation, params: Readonly<Record<string, Json>>) => {
    const defaults = Object.fromEntries(
      Object.entries(stage.params.properties).flatMap(([name, { default: x }]) =>
        x === undefined ? [] : [[name, x]],
      ),
    );
    return stage
      .validate({ ...defaults, ...params }, new Set(Object.keys(params)))
      .map(({ param, message }) => `${param} ${message}`);
  };

  test("of an adapter are checked by the name of the field", () => {
    expect(told(sft, { lora: { r: 0 } })).toEqual(["lora r must be >= 1"]);
    expect(told(dpo, { lora: { rank: 8 } })).toEqual(["lora has no field `rank`"]);
    expect(told(dpo, { lora: { r: 8, target_modules: ["q_proj"] } })).toEqual([]);
  });

  test("without effect are reported when they are written down, not when they are defaults", () => {
    expect(told(sft, { optimizer: "sgd" })).toEqual([]);
    expect(told(sft, { optimizer: "sgd", adam_beta2: 0.999 })).toEqual([
      "adam_beta2 has no effect with optimizer: sgd",
    ]);
    expect(told(dpo, { momentum: 0.9 })).toEqual(["momentum has no effect with optimizer: adamw"]);
    expect(told(sft, { scale_parameter: true })).toEqual([
      "scale_parameter has no effect with optimizer: adamw",
    ]);
    expect(told(dpo, { optimizer: "rmsprop", momentum: 0.9, rmsprop_decay: 0.9 })).toEqual([]);
    expect(told(pretrain, { residual_dropout_ramp: true })).toEqual([
      "residual_dropout_ramp has no effect without residual_dropout",
    ]);
    expect(told(sft, { select_by: "eval_loss" })).toEqual(["select_by chooses by data that is not given"]);
    expect(told(sft, { schedule: "constant", final_learning_rate: 0.1 })).toEqual([
      "final_learning_rate has no effect with schedule: constant",
    ]);
  });
});
