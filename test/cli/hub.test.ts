// A model from the hub through the built command line: the environment reaches the worker and nothing else.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type FakeHub, fakeHub } from "../../stdlib/hf/testing.ts";
import { initialize, type LlamaConfig, stream } from "../../tensor/index.ts";
import { tokenizerFiles, trainBpe, wordCounter, writeModelFolder } from "../../tensor/io/index.ts";
import { type Workspace, workspace } from "../align.ts";

const commit = "89abcdef0123456789abcdef0123456789abcdef";
const token = "hf_verysecret";
let w: Workspace;
let hub: FakeHub;
const before = { ...process.env };
beforeAll(async () => {
  w = await workspace();
  const config: LlamaConfig = {
    vocab_size: 260,
    hidden_size: 16,
    intermediate_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_position_embeddings: 64,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: true,
  };
  const counter = wordCounter();
  counter.add("low low lower");
  const bpe = trainBpe(counter.counts, { vocabSize: 260, minFrequency: 1, specialTokens: ["</s>"] });
  await writeModelFolder(w.dir, {
    config: { model_type: "llama", ...config },
    tokenizer: tokenizerFiles(bpe, { eos: "</s>" }),
    tensors: new Map(
      Object.entries(initialize(config, stream(1))).map(([name, { shape, data }]) => [
        name,
        { shape: [...shape], data },
      ]),
    ),
  });
  const names = await readdir(w.dir);
  hub = await fakeHub(
    commit,
    new Map(await Promise.all(names.map(async (name) => [name, await readFile(join(w.dir, name))] as const))),
  );
  hub.token = token;
  Object.assign(process.env, {
    HF_ENDPOINT: hub.url,
    HF_TOKEN: token,
    HF_HUB_CACHE: join(w.dir, "cache"),
    HF_HUB_OFFLINE: "",
  });
});
afterAll(async () => {
  process.env = before;
  await hub.close();
  await w.remove();
});

test("a gated model is downloaded once, its commit is told, and the token is nowhere", async () => {
  await w.write("m.align", 'pipeline m\nmodel tiny = hf("org/tiny")\npublish tiny to "out"\n');
  const first = await w.align("run", "m.align");
  expect(first.status, first.stderr).toBe(0);
  expect(first.stdout).toContain(`org/tiny, revision: "${commit}"`);
  const { length } = hub.requests;
  const second = await w.align("run", "m.align");
  expect(second.stderr).toContain("1 cached");
  expect(hub.requests).toHaveLength(length);

  const files = (await readdir(w.dir, { recursive: true, withFileTypes: true })).filter((e) => e.isFile());
  expect(files.length).toBeGreaterThan(10);
  for (const file of files) {
    expect((await readFile(join(file.parentPath, file.name))).includes(token), file.name).toBe(false);
  }
  expect(first.stdout + first.stderr).not.toContain(token);
});

test("a hub that cannot be reached fails the stage and says what to do", async () => {
  await w.write("n.align", 'pipeline n\nmodel tiny = hf("org/other")\npublish tiny to "out"\n');
  const missing = await w.align("run", "n.align");
  expect(missing.status).toBe(1);
  expect(missing.stderr).toContain("the hub has no model org/other at revision main");
  process.env.HF_HUB_OFFLINE = "1";
  const offline = await w.align("run", "n.align");
  expect(offline.stderr).toContain("HF_HUB_OFFLINE is set");
  expect(offline.stderr).toContain('local("folder")');
});
