import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { openModelFolder, type TensorMap, writeModelFolder } from "../../tensor/io/index.ts";
import { dpo } from "../dpo/index.ts";
import { generate } from "../generate/index.ts";
import { pretrain } from "../pretrain/index.ts";
import { sft } from "../sft/index.ts";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openModel, saveModel } from "../training/model.ts";
import { decoder } from "./index.ts";

const text = [{ text: "low low low lower lowest ".repeat(8) }, { text: "new newer newest ".repeat(8) }];
const tiny = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 24, max_length: 32 };
let words: string;
let data: string;

beforeAll(async () => {
  data = await datasetOf(text);
  words = (await runWith(tokenizer, { vocab_size: 270 }, { inputs: { data } })).dir;
});

const fresh = (params: Record<string, unknown> = {}) =>
  runWith(decoder, { ...tiny, ...params }, { inputs: { tokenizer: words } });

describe.each(["llama", "mistral", "qwen2", "qwen3", "gpt2", "gpt_neox"])("a fresh %s", (architecture) => {
  test("trains, is saved under its Hugging Face names, and generates", async () => {
    const { dir, metrics } = await fresh({ architecture });
    const { config } = await openModelFolder(dir);
    expect(config.model_type).toBe(architecture);
    const model = await openModel({ dir, node: "fresh" });
    const count = Object.values(model.params).reduce((n, { data }) => n + data.length, 0);
    expect(metrics).toEqual({ parameters: count });

    const trained = await runWith(
      pretrain,
      { epochs: 1, batch_size: 2, sequence_length: 16 },
      { inputs: { model: dir, data } },
    );
    const after = await openModel({ dir: trained.dir, node: "trained" });
    expect(Object.keys(after.params).sort()).toEqual(Object.keys(model.params).sort());
    expect(after.configFile).toEqual(model.configFile);

    const prompts = await datasetOf([{ prompt: "low" }]);
    const said = await runWith(
      generate,
      { samples: 1, max_new_tokens: 4 },
      { inputs: { models: [trained.dir], prompts } },
    );
    expect((await rowsIn(said.dir))[0]).toMatchObject({ prompt: "low", responses: [expect.any(String)] });
  });
});

test.each(["gpt2", "gpt_neox", "qwen3"])(
  "a %s goes through sft with adapters and dropout, and dpo",
  async (architecture) => {
    const { dir } = await fresh({ architecture });
    const steps = { steps: 2, batch_size: 2, warmup: 0 };
    const demos = await datasetOf([
      { prompt: "low", completion: " lower lowest" },
      { prompt: "new", completion: " newer" },
    ]);
    const tuned = await runWith(
      sft,
      { ...steps, packing: true, residual_dropout: 0.1, lora: { r: 2 } },
      { inputs: { model: dir, data: demos } },
    );
    const pairs = await datasetOf([{ prompt: "low", chosen: " lower", rejected: " newest" }]);
    const aligned = await runWith(dpo, steps, { inputs: { model: tuned.dir, data: pairs } });
    expect(aligned.metrics!.loss).toBeLessThan(Math.log(2) + 1e-3);
  },
);

test("heads that an architecture cannot have are refused", async () => {
  await expect(fresh({ architecture: "gpt2", kv_heads: 1 })).rejects.toThrow("gpt2 has as many as `heads`");
  await expect(fresh({ architecture: "gpt_neox", heads: 4 })).rejects.toThrow("must be a multiple of 8");
});

test("files of GPT-2 without the prefix, with masks among the weights, open like the others", async () => {
  const { dir } = await fresh({ architecture: "gpt2" });
  const model = await openModel({ dir, node: "gpt2" });
  const tensors: TensorMap = new Map([["h.0.attn.bias", { shape: [1], data: Float32Array.of(1) }]]);
  for (const [name, { shape, data }] of Object.entries(model.params)) {
    tensors.set(name.replace("transformer.", ""), { shape: [...shape], data });
  }
  const old = await temporaryFolder();
  await writeModelFolder(old, { config: model.configFile, tokenizer: model.tokenizer.files, tensors });
  const opened = await openModel({ dir: old, node: "old" });
  expect(opened.params).toEqual(model.params);

  const saved = await temporaryFolder();
  await saveModel(saved, opened, opened.params);
  expect((await openModel({ dir: saved, node: "saved" })).params).toEqual(model.params);
});

test("models that no stage can use are refused with a reason", async () => {
  const { dir } = await fresh();
  const path = join(dir, "config.json");
  const config = JSON.parse(await readFile(path, "utf8"));
  const open = async (changes: object) => {
    await writeFile(path, JSON.stringify({ ...config, ...changes }));
    return openModel({ dir, node: "m" });
  };
  await expect(open({ model_type: "rwkv" })).rejects.toThrow(
    "m is a rwkv model; supported are llama, mistral",
  );
  await expect(open({ rope_scaling: { rope_type: "yarn", factor: 4 } })).rejects.toThrow('rope type "yarn"');
});
