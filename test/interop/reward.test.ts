// Reward models in transformers. Runs where ALIGN_TEST_PYTHON names a python with transformers and torch.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { decoder } from "../../stdlib/decoder/index.ts";
import { reward } from "../../stdlib/reward/index.ts";
import { openRewardModel } from "../../stdlib/reward/reward-model.ts";
import { openSequenceScorer } from "../../stdlib/reward/score.ts";
import { datasetOf, runWith, temporaryFolder } from "../../stdlib/testing.ts";
import { tokenizer } from "../../stdlib/tokenizer/index.ts";
import { onnxBackend } from "../../tensor/index.ts";

const python = process.env.ALIGN_TEST_PYTHON;
const texts = ["a good day", "a bad day", "quite a plain day", "no day at all"];

describe.skipIf(!python).each(["llama", "gpt2", "gpt_neox"])(
  "a reward model of the family %s",
  (architecture) => {
    test("gives the scores that transformers gives, up to the bias", async () => {
      const data = await datasetOf(texts.map((text) => ({ text })));
      const bpe = await runWith(tokenizer, { vocab_size: 280 }, { inputs: { data } });
      const size = {
        layers: 2,
        hidden_size: 32,
        heads: 2,
        intermediate_size: 64,
        max_length: 64,
        architecture,
      };
      const model = await runWith(decoder, size, { inputs: { tokenizer: bpe.dir } });
      const rankings = await datasetOf([{ prompt: "It was ", responses: texts, ranks: [1, 3, 2, 4] }]);
      const demos = await datasetOf(texts.map((completion) => ({ prompt: "It was ", completion })));
      const { dir } = await runWith(
        reward,
        { steps: 3, learning_rate: 1e-2 },
        { inputs: { model: model.dir, data: rankings, center_on: demos } },
      );

      const rm = await openRewardModel({ dir, node: "rm" });
      const sequences = texts.map((text) => [...rm.tokenizer.encode(text), rm.tokenizer.eos]);
      const ours = await openSequenceScorer(await onnxBackend(), rm).score(sequences);
      const request = join(await temporaryFolder(), "request.json");
      await writeFile(request, JSON.stringify({ sequences }));
      const { stdout } = await execa(python!, [join(import.meta.dirname, "reward.py"), dir, request], {
        stderr: "ignore",
      });
      const theirs = JSON.parse(stdout.trim().split("\n").at(-1)!);
      expect(theirs.labels).toBe(1);
      expect(theirs.bias).toBe(rm.bias);
      const gaps = ours.map((score, i) => Math.abs(score - rm.bias - theirs.scores[i]));
      console.log(`${architecture}: scores differ by at most ${Math.max(...gaps).toExponential(1)}`);
      expect(Math.max(...gaps)).toBeLessThan(1e-4);
    }, 120_000);
  },
);
