import { readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeGguf, openModelFolder, readWeights } from "../../tensor/io/index.ts";
import { type Workspace, workspace } from "../align.ts";

let w: Workspace;
beforeAll(async () => {
  w = await workspace();
  await w.write(
    "make.align",
    `pipeline make
dataset words = text("words.txt")
stage letters = tokenizer(words) { vocab_size: 264 }
model fresh = decoder(letters) { layers: 1, hidden_size: 32, heads: 2, intermediate_size: 32 }
publish fresh to "fresh"
`,
  );
  await w.write("words.txt", "low low lower lowest");
  expect(await w.align("run", "make.align")).toMatchObject({ status: 0 });
});
afterAll(() => w.remove());

test("a model leaves as a folder and as GGUF, and comes back from both with the same weights", async () => {
  expect(await w.align("export", "make.align", "fresh", "out/hf")).toMatchObject({
    status: 0,
    stdout: join(w.dir, "out/hf"),
  });
  const asFile = await w.align("export", "make.align", "fresh", "out", "--format", "gguf", "--type", "f32");
  expect(asFile).toMatchObject({ status: 0, stdout: join(w.dir, "out/fresh.gguf") });
  const weights = await readWeights(join(w.dir, "out/hf"));
  expect(await readWeights(join(w.dir, "fresh"))).toEqual(weights);
  expect([...decodeGguf(await readFile(join(w.dir, "out/fresh.gguf"))).tensors.keys()]).toContain(
    "token_embd.weight",
  );

  await w.write(
    "read.align",
    `pipeline read
model folder = local("out/hf")
model file = gguf("out/fresh.gguf")
publish folder to "from/folder"
publish file to "from/file"
`,
  );
  const { status, stderr } = await w.align("run", "read.align");
  expect(status, stderr).toBe(0);
  expect(await readWeights(join(w.dir, "from/folder"))).toEqual(weights);
  expect(await readWeights(join(w.dir, "from/file"))).toEqual(weights);
  const [a, b] = await Promise.all(
    ["from/folder", "from/file"].map(async (dir) => (await openModelFolder(join(w.dir, dir))).tokenizer()),
  );
  expect(b!.encode("the lowest")).toEqual(a!.encode("the lowest"));
});

test("a changed, added or renamed file of a folder builds the model again; nothing else does", async () => {
  const again = async () =>
    (await w.align("run", "read.align")).stderr.match(/folder: started/g)?.length ?? 0;
  expect(await again()).toBe(0);
  await w.edit("out/hf/generation_config.json", (text) => text.replace("{", "{ "));
  expect(await again()).toBe(1);
  await w.write("out/hf/notes.txt", "x");
  expect(await again()).toBe(1);
  await rename(join(w.dir, "out/hf/notes.txt"), join(w.dir, "out/hf/notices.txt"));
  expect(await again()).toBe(1);
  await w.write("out/elsewhere.txt", "x");
  expect(await again()).toBe(0);
});

test("a dataset leaves as JSONL, and as Parquet that comes back the same", async () => {
  expect(await w.align("export", "make.align", "words", "rows")).toMatchObject({ status: 0 });
  const rows = await w.read("rows/words.jsonl");
  expect(rows).toBe('{"text":"low low lower lowest"}\n');
  expect(await w.align("export", "make.align", "words", "rows", "--format", "parquet")).toMatchObject({
    status: 0,
    stdout: join(w.dir, "rows/words.parquet"),
  });
  await w.write(
    "again.align",
    `pipeline again
dataset words = parquet("rows/words.parquet") as Text
stage letters = tokenizer(words) { vocab_size: 264 }
publish letters to "letters"
`,
  );
  const { status, stderr } = await w.align("run", "again.align");
  expect(status, stderr).toBe(0);
  expect(await w.align("export", "again.align", "words", "again.jsonl")).toMatchObject({ status: 0 });
  expect(await w.read("again.jsonl")).toBe(rows);
});

test("a file that is named says the format", async () => {
  expect(await w.align("export", "make.align", "fresh", "named/small.gguf")).toMatchObject({ status: 0 });
  expect((await readFile(join(w.dir, "named/small.gguf"))).subarray(0, 4).toString()).toBe("GGUF");
  expect(await w.align("export", "make.align", "words", "named/rows.parquet")).toMatchObject({ status: 0 });
  expect((await readFile(join(w.dir, "named/rows.parquet"))).subarray(0, 4).toString()).toBe("PAR1");
});

test.each([
  [["words", "x", "--format", "gguf"], "words is a dataset, which cannot be written as gguf"],
  [["letters", "x", "--format", "jsonl"], "letters is a tokenizer, which cannot be written as jsonl"],
  [["fresch", "x"], "did you mean fresh?"],
])("align export %s is refused", async (args, message) => {
  const { status, stderr } = await w.align("export", "make.align", ...args);
  expect(status).toBe(2);
  expect(stderr).toContain(message);
});

test("a file that is no GGUF is refused by chat", async () => {
  const { status, stderr } = await w.align("chat", "words.txt");
  expect(status).toBe(1);
  expect(stderr).toContain("it does not start with GGUF");
});
