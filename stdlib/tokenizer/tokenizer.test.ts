import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadTokenizer } from "../../tensor/io/index.ts";
import { datasetOf, runWith } from "../testing.ts";
import { tokenizer } from "./index.ts";

const rows = [{ text: "low low low lower lowest" }, { text: "new newer newest" }];

test("trains on every row and leaves a tokenizer that spells any text", async () => {
  const { dir, metrics } = await runWith(
    tokenizer,
    { vocab_size: 264 },
    { inputs: { data: await datasetOf(rows) } },
  );
  // 1 special token + 256 bytes + 7 merges
  expect(metrics).toMatchObject({ vocab_size: 264, merges: 7 });
  const trained = await loadTokenizer(dir);
  expect(trained).toMatchObject({ vocabSize: 264, eos: 0, bos: 0, pad: 0, chatTemplate: undefined });
  expect(trained.decode(trained.encode("low é 🙂"))).toBe("low é 🙂");
  expect(trained.encode(" low")).toHaveLength(1);
});

test("special tokens and the chat template are kept with it", async () => {
  const params = {
    vocab_size: 260,
    end_of_text: "</s>",
    special_tokens: ["<|user|>"],
    chat_template: { input: "{{ messages[0].content }}" },
  };
  const { dir } = await runWith(tokenizer, params, { inputs: { data: await datasetOf(rows) } });
  const trained = await loadTokenizer(dir);
  expect(trained.encode("<|user|></s>")).toEqual([1, 0]);
  expect(trained.chatTemplate).toBe("{{ messages[0].content }}");
});

test("the same rows give the same bytes, in any order", async () => {
  const files = await Promise.all(
    [rows, [...rows].reverse()].map(async (data) => {
      const { dir } = await runWith(
        tokenizer,
        { vocab_size: 280 },
        { inputs: { data: await datasetOf(data) } },
      );
      return readFile(join(dir, "tokenizer.json"), "utf8");
    }),
  );
  expect(files[0]).toBe(files[1]);
});

test("no text, no room and a broken template are refused", async () => {
  const inputs = { data: await datasetOf(rows) };
  await expect(runWith(tokenizer, {}, { inputs: { data: await datasetOf([]) } })).rejects.toThrow(
    "no text to train",
  );
  await expect(runWith(tokenizer, { vocab_size: 257, special_tokens: ["a"] }, { inputs })).rejects.toThrow(
    "vocab_size must be >= 258: 256 bytes and 2 special tokens",
  );
  await expect(runWith(tokenizer, { chat_template: { input: "{% if %}" } }, { inputs })).rejects.toThrow(
    "does not parse",
  );
});
