// A T5 of our own making in transformers, where ALIGN_TEST_PYTHON names a python that has it.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  createGenerator,
  createScorer,
  type ModelConfig,
  onnxBackend,
  type Params,
  scoreContinuations,
  stream,
  tensor,
} from "../../tensor/index.ts";
import { openModelFolder } from "../../tensor/io/index.ts";
import { type Workspace, workspace } from "../align.ts";

const { ALIGN_TEST_PYTHON: python } = process.env;
const request = { source: "the young of a<extra_id_0> is a puppy", target: "<extra_id_0> dog", tokens: 12 };

let space: Workspace;
beforeAll(async () => {
  space = await workspace();
});
afterAll(() => space.remove());

test.skipIf(!python)("a fresh encoder_decoder says in transformers what it says here", async () => {
  await space.write("prose.txt", "the young of a dog is a puppy\n".repeat(20));
  await space.write(
    "t5.align",
    `pipeline t5
dataset prose = text("prose.txt", per: line)
stage words = tokenizer(prose) { vocab_size: 290 }
model fresh = encoder_decoder(words) { hidden_size: 32, heads: 2, intermediate_size: 48, extra_ids: 4, initializer_factor: 1.5 }
stage base = pretrain(fresh, prose) { objective: prefix_lm, steps: 2, batch_size: 4, sequence_length: 16 }
publish base to "out/t5"
`,
  );
  await space.events("t5.align");
  const dir = join(space.dir, "out/t5");
  await writeFile(join(space.dir, "request.json"), JSON.stringify(request));
  const { stdout } = await execa(python!, [
    join(import.meta.dirname, "seq2seq.py"),
    dir,
    join(space.dir, "request.json"),
  ]);
  const theirs = JSON.parse(stdout.trim().split("\n").at(-1)!);

  const folder = await openModelFolder(dir);
  const tokenizer = await folder.tokenizer();
  const [source, target] = [tokenizer.encode(request.source), tokenizer.encode(request.target)];
  expect({ source, target }).toEqual({ source: theirs.source, target: theirs.target });

  const config = folder.config as unknown as ModelConfig;
  const params: Params = {};
  for (const [name, { shape, data }] of await folder.tensors()) params[name] = tensor(data, shape);
  const backend = await onnxBackend({ threads: 2 });
  const prompt = [...source, tokenizer.eos!];
  const scorer = createScorer({ backend, config, params });
  const scores = await scoreContinuations(scorer, [{ prompt, continuations: [[...target, tokenizer.eos!]] }]);
  await scorer.dispose();
  for (const [i, x] of scores[0]![0]!.logprobs.entries()) expect(x).toBeCloseTo(theirs.logprobs[i], 4);

  const generator = createGenerator({ backend, config, params });
  const eos = [tokenizer.eos!];
  const [said] = await generator.generate([prompt], {
    max_new_tokens: 12,
    temperature: 0,
    eos,
    random: stream(0),
  });
  await generator.dispose();
  expect([...said!.ids]).toEqual(theirs.greedy);
});
