// Adapters to and from peft. Runs where ALIGN_TEST_PYTHON names a python with peft, transformers and torch.
import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { decoder } from "../../stdlib/decoder/index.ts";
import { dpo } from "../../stdlib/dpo/index.ts";
import { sft } from "../../stdlib/sft/index.ts";
import { datasetOf, runWith, temporaryFolder } from "../../stdlib/testing.ts";
import { tokenizer } from "../../stdlib/tokenizer/index.ts";
import { openModel } from "../../stdlib/training/model.ts";
import { askAlign, type Request } from "./model.ts";

const python = process.env.ALIGN_TEST_PYTHON;
const answers = ["a calm sea", "a storm", "a long road home", "nothing at all"];
const pairs = answers.map((chosen, i) => ({ prompt: "I see ", chosen, rejected: answers[(i + 1) % 4]! }));
const request: Request = { text: "I see a storm, a calm sea and a long road", messages: [], tokens: 1 };

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Array.from(a).reduce((most, x, i) => Math.max(most, Math.abs(x - b[i]!)), 0);
};

describe.skipIf(!python)("an adapter", () => {
  const base = async (architecture: string): Promise<string> => {
    const data = await datasetOf(answers.map((text) => ({ text })));
    const bpe = await runWith(tokenizer, { vocab_size: 280 }, { inputs: { data } });
    const heads = { heads: 4, ...(architecture.startsWith("gpt") ? {} : { kv_heads: 2 }) };
    const size = { layers: 2, hidden_size: 32, intermediate_size: 64, max_length: 64, ...heads };
    return (await runWith(decoder, { ...size, architecture }, { inputs: { tokenizer: bpe.dir } })).dir;
  };

  test.each(["llama", "mistral", "qwen2", "qwen3", "gpt2", "gpt_neox"])(
    "of the family %s makes in peft the model that it made here, and one of peft's here the model that it made there",
    async (architecture) => {
      const model = await base(architecture);
      const learnt = { lora: { r: 4, alpha: 8 }, steps: 6, learning_rate: 3e-2, warmup: 0, batch_size: 4 };
      const [stage, data] =
        architecture === "llama"
          ? [dpo, await datasetOf(pairs)]
          : [sft, await datasetOf(pairs.map(({ prompt, chosen }) => ({ prompt, completion: chosen })))];
      const { dir } = await runWith(stage, learnt, { inputs: { model, data } });

      const out = await temporaryFolder();
      await writeFile(join(out, "request.json"), JSON.stringify(request));
      const script = join(import.meta.dirname, "adapter.py");
      const { stdout } = await execa(
        python!,
        [script, model, join(dir, "adapter"), join(out, "request.json"), out],
        { stderr: "ignore" },
      );
      const theirs = JSON.parse(stdout.trim().split("\n").at(-1)!);

      const [before, after] = [await askAlign(model, request), await askAlign(dir, request)];
      const moved = largest(after.logits, before.logits);
      const apart = largest(after.logits, theirs.logits);
      expect(moved).toBeGreaterThan(0.1);
      expect(apart).toBeLessThan(1e-4);

      // The base with peft's two files beside it.
      await cp(model, join(out, "joined"), { recursive: true });
      await cp(join(out, "adapter"), join(out, "joined"), { recursive: true });
      const joined = await openModel({ dir: join(out, "joined"), node: "joined" });
      const merged = await openModel({ dir: join(out, "merged"), node: "merged" });
      const gaps = Object.entries(joined.params).map(([name, { data }]) =>
        largest(data, merged.params[name]!.data),
      );
      expect(Math.max(...gaps)).toBeLessThan(1e-6);
      console.log(
        `${architecture} on ${theirs.targets.join(", ")}: logits moved by ${moved.toFixed(2)} and differ by at most ${apart.toExponential(1)}; weights of peft's own by ${Math.max(...gaps).toExponential(1)}`,
      );
    },
    120_000,
  );
});
