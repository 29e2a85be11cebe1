// The short version of `npm run test:kill -- --file F --stage S`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { killStage } from "./stage.ts";

test("reinforcement learning that is killed ends with the same bytes", async () => {
  const dir = mkdtempSync(join(tmpdir(), "align-kill-ppo-"));
  const phrases = ["it was good", "it was bad", "that was good", "that was plain"];
  writeFileSync(join(dir, "text.jsonl"), phrases.map((text) => `${JSON.stringify({ text })}\n`).join(""));
  writeFileSync(join(dir, "good.mjs"), "export default ({ response }) => response.split('o').length;\n");
  writeFileSync(
    join(dir, "ppo.align"),
    `pipeline killed
dataset texts = jsonl("text.jsonl") as Text
stage bpe = tokenizer(texts) { vocab_size: 270 }
model fresh = decoder(bpe) { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 16, max_length: 24 }
model good = script("good.mjs")
stage tuned = ppo(fresh, good, texts |> select(prompt: text)) {
  episodes: 1280, batch_size: 32, minibatch_size: 16, max_new_tokens: 12, learning_rate: 1e-3, checkpoint_every: 0.1
}
`,
  );
  const verdict = await killStage({ run: [join(dir, "ppo.align")], stage: "tuned", kills: 3, seed: 7 });
  expect(verdict.problems).toEqual([]);
  expect(verdict).toMatchObject({ kills: 3 });
  rmSync(dir, { recursive: true, force: true });
}, 300_000);
