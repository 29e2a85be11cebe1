import { join } from "node:path";
import { expect, test } from "vitest";
import { openRowJournal } from "../../engine/index.ts";
import { decoder } from "../decoder/index.ts";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { generate } from "./index.ts";

const words = "the whale was white and the sea was wide and the ship went on".split(" ");
const prompts = Array.from({ length: 9 }, (_, i) => ({ prompt: words.slice(i, i + 2 + (i % 3)).join(" ") }));

test("kept responses are left out, and the rest are the bits they are beside them", async () => {
  const text = await datasetOf([{ text: words.join(" ") }]);
  const bpe = await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: text } });
  const geometry = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 32, max_length: 32 };
  const model = await runWith(decoder, geometry, { inputs: { tokenizer: bpe.dir } });
  const path = join(await temporaryFolder(), "rows.jsonl");
  const run = async (count: number, journaled: boolean) => {
    const computed: number[] = [];
    const journal = openRowJournal(journaled ? path : join(await temporaryFolder(), "rows.jsonl"));
    const inputs = { models: model.dir, prompts: await datasetOf(prompts.slice(0, count)) };
    const onProgress = ({ done }: { done: number }) => computed.push(done);
    const { dir, metrics } = await runWith(
      generate,
      { samples: 2, max_new_tokens: 6 },
      { inputs, journal, onProgress },
    );
    journal.close();
    return { rows: await rowsIn(dir), metrics, first: computed[0] };
  };
  const whole = await run(9, false);
  await run(4, true);
  const rest = await run(9, true);
  expect(rest.rows).toEqual(whole.rows);
  expect(rest.metrics).toEqual(whole.metrics);
  // 4 prompts × 2 samples were there already.
  expect(rest.first).toBe(8);
});
