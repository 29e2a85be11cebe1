// Adapters against PEFT: names, three steps of training, merged weights; see fixtures/make-peft.py.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { type Params, tensor } from "../host.ts";
import { crossEntropy } from "../loss/cross-entropy.ts";
import { adamw } from "../optim/adamw.ts";
import { stream } from "../random.ts";
import { createTrainer } from "../train/trainer.ts";
import type { ModelConfig } from "./config.ts";
import { fromPeft, initializeLora, isAdapter, mergeLora, peftConfig, toPeft } from "./lora.ts";
import { maxDifference, nextTokenMask } from "./testing.ts";

type Packed = Record<string, { readonly shape: number[]; readonly data: string }>;

interface Fixture {
  readonly config: ModelConfig;
  readonly adapter_config: Record<string, unknown>;
  readonly ids: number[][];
  readonly params: Packed;
  readonly before: Packed;
  readonly after: Packed;
  readonly losses: number[];
  readonly merged: Packed;
}

const unpack = (packed: Packed): Params =>
  Object.fromEntries(
    Object.entries(packed).map(([name, { shape, data }]) => [
      name,
      tensor(new Float32Array(new Uint8Array(Buffer.from(data, "base64")).buffer), shape),
    ]),
  );
describe.each([
  ["Llama", "peft-tiny.json", ["q_proj", "v_proj", "down_proj"]],
  ["GPT-2, whose matrices are [in,out]", "peft-gpt2.json", ["c_attn", "c_fc"]],
])("%s", (_name, file, target_modules) => {
  const fixture: Fixture = JSON.parse(readFileSync(new URL(`fixtures/${file}`, import.meta.url), "utf8"));
  const options = { r: 2, alpha: 6, target_modules };
  const base = unpack(fixture.params);

  test("fresh adapters have PEFT's names, shapes, and range: A within ±1/√in, B zero", () => {
    const fresh = initializeLora(base, options, stream(1));
    const theirs = unpack(fixture.before);
    expect(Object.keys(toPeft(fresh)).sort()).toEqual(Object.keys(theirs).sort());
    for (const [name, { shape, data }] of Object.entries(toPeft(fresh))) {
      expect(shape).toEqual(theirs[name]!.shape);
      const bound = name.includes("lora_B") ? 0 : 1 / Math.sqrt(shape[1]!);
      for (const x of [...data, ...theirs[name]!.data]) expect(Math.abs(x)).toBeLessThanOrEqual(bound);
    }
  });

  test("three AdamW steps from PEFT's adapter give PEFT's losses and adapter, and the merged weight", async () => {
    const trainer = createTrainer({
      backend: await onnxBackend(),
      config: fixture.config,
      params: { ...base, ...fromPeft(unpack(fixture.before)) },
      trainable: isAdapter,
      lora: { alpha: options.alpha },
      optimizer: adamw(),
      loss: (b, model, { ids, mask }) => ({ loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!) }),
    });
    const ids = tensor(Int32Array.from(fixture.ids.flat()), [3, 12]);
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      losses.push((await trainer.step({ ids, mask: nextTokenMask(3, 12) }, { learning_rate: 1e-2 })).loss);
    }
    expect(maxDifference(losses, fixture.losses)).toBeLessThan(1e-5);
    const adapters = Object.fromEntries(Object.entries(trainer.params()).filter(([name]) => isAdapter(name)));
    const gaps = Object.entries(unpack(fixture.after)).map(([name, { data }]) =>
      maxDifference(toPeft(adapters)[name]!.data, data),
    );
    console.log(`adapter after three steps: within ${Math.max(...gaps).toExponential(1)} of PEFT's`);
    expect(Math.max(...gaps)).toBeLessThan(1e-4);
    const weight = Object.keys(fixture.merged)[0]!;
    const merged = mergeLora(base, adapters, options.alpha)[weight]!.data;
    expect(maxDifference(merged, Object.values(unpack(fixture.merged))[0]!.data)).toBeLessThan(1e-4);
  });

  test("every field of the configuration that we write is in PEFT's own, with its value", () => {
    const { target_modules, base_model_name_or_path, ...ours } = peftConfig({
      ...options,
      dropout: 0,
      base: null,
    });
    expect(fixture.adapter_config).toMatchObject(ours);
    expect(base_model_name_or_path).toBe(null);
    expect(target_modules).toEqual([...(fixture.adapter_config.target_modules as string[])].sort());
  });
});

test("what is not an adapter of a linear layer is refused by name", () => {
  const strange = { "base_model.model.x.lora_magnitude_vector": tensor(new Float32Array(1), [1]) };
  expect(() => fromPeft(strange)).toThrow("lora_magnitude_vector is not a LoRA matrix");
});
