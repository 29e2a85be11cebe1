// A model of this machine as an assistant: it answers by its chat template, the same for the same seed, and its verdicts are read strictly.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openRowJournal } from "../../engine/index.ts";
import { decoder } from "../decoder/index.ts";
import { generate } from "../generate/index.ts";
import { judge } from "../judge/index.ts";
import { datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { assistant } from "./index.ts";

let plain: string;
let chatting: string;
beforeAll(async () => {
  const text = await datasetOf([{ text: "the whale was white and the sea was wide" }]);
  const bpe = await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: text } });
  const geometry = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 32, max_length: 2048 };
  plain = (await runWith(decoder, geometry, { inputs: { tokenizer: bpe.dir } })).dir;
  const model = (await runWith(decoder, geometry, { inputs: { tokenizer: bpe.dir } })).dir;
  const path = join(model, "tokenizer_config.json");
  const chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}";
  await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, "utf8")), chat_template }));
  chatting = (await runWith(assistant, {}, { inputs: { model } })).dir;
});

const prompts = (count: number) =>
  datasetOf(Array.from({ length: count }, (_, i) => ({ prompt: `the ${i}` })));

test("its responses do not depend on how many prompts there are, nor on what the journal has of them", async () => {
  const params = { samples: 2, max_new_tokens: 6 };
  const run = async (count: number, journal = openRowJournal(`/dev/null`)) =>
    rowsIn(
      (
        await runWith(generate, params, {
          inputs: { models: chatting, prompts: await prompts(count) },
          journal,
        })
      ).dir,
    );
  const five = await run(5);
  expect(five.map(({ responses }) => (responses as string[]).length)).toEqual([2, 2, 2, 2, 2]);
  expect(await run(3)).toEqual(five.slice(0, 3));
  const path = join(await temporaryFolder(), "rows.jsonl");
  await run(2, openRowJournal(path));
  expect(await run(5, openRowJournal(path))).toEqual(five);
});

test("as a judge it is asked for verdicts; what an untrained model says is recorded as malformed", async () => {
  const data = await datasetOf([{ prompt: "the sea", responses: ["wide"] }]);
  const judged = runWith(judge, { repairs: 1, verdict_tokens: 16 }, { inputs: { data, by: chatting } });
  await expect(judged).rejects.toThrow("none of the 1 verdicts could be read");
});

test("a model without a chat template cannot be asked", async () => {
  const { dir } = await runWith(assistant, {}, { inputs: { model: plain } });
  const asked = runWith(generate, {}, { inputs: { models: dir, prompts: await prompts(1) } });
  await expect(asked).rejects.toThrow("has no chat template");
});
