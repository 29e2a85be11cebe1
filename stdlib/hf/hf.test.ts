import { readdir, readFile, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { decoder } from "../decoder/index.ts";
import { datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { hf } from "./index.ts";
import { modelFiles } from "./run.ts";
import { hubSettings } from "./settings.ts";
import { type SnapshotOptions, snapshot } from "./snapshot.ts";
import { type FakeHub, fakeHub } from "./testing.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";
const noise = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7919) >> 3);
const files = new Map<string, Uint8Array>([
  ["config.json", Buffer.from("{}")],
  ["model.safetensors", noise],
  ["pytorch_model.bin", noise],
  ["onnx/model.json", noise],
  ["README.md", noise],
]);

let hub: FakeHub;
let cache: string;
let pauses: number[];
beforeEach(async () => {
  hub = await fakeHub(commit, files);
  cache = await temporaryFolder();
  pauses = [];
});
afterEach(() => hub.close());

function ask(options: Partial<SnapshotOptions["settings"]> = {}, revision = "main") {
  return snapshot({
    kind: "model",
    selection: modelFiles("org/tiny"),
    repo: "org/tiny",
    revision,
    settings: { url: hub.url, cache, offline: false, ...options },
    signal: new AbortController().signal,
    onBytes: () => {},
    pause: async (ms) => void pauses.push(ms),
  });
}
const blobs = async () => readdir(join(cache, "models--org--tiny/blobs"));

test("fetches what a model is made of, and nothing else, into the cache that other libraries read", async () => {
  const found = await ask();
  expect(found.commit).toBe(commit);
  expect(found.files.map(({ path }) => path)).toEqual(["config.json", "model.safetensors"]);
  const snapshots = join(cache, "models--org--tiny/snapshots", commit);
  expect(await realpath(join(snapshots, "model.safetensors"))).toBe(
    await realpath(found.blob(found.files[1]!)),
  );
  expect(new Uint8Array(await readFile(join(snapshots, "model.safetensors")))).toEqual(noise);
  expect(await readFile(join(cache, "models--org--tiny/refs/main"), "utf8")).toBe(commit);
});

test("a commit that is in the cache is taken from there and nobody is asked", async () => {
  await ask();
  hub.requests.length = 0;
  expect((await ask({}, commit)).files).toHaveLength(2);
  expect(hub.requests).toEqual([]);
  // A branch is looked up again, but its files are not sent again.
  const { sent } = hub;
  await ask();
  expect(hub.requests).toEqual([`/api/models/org/tiny/revision/main`, `/api/models/org/tiny/tree/${commit}`]);
  expect(hub.sent).toBe(sent);
});

test("a broken connection is taken up where it broke", async () => {
  hub.breakAfter = 100_000;
  const found = await ask();
  expect(new Uint8Array(await readFile(found.blob(found.files[1]!)))).toEqual(noise);
  expect(pauses).toEqual([1000]);
  // 2 bytes of config.json and every byte of the weights once.
  expect(hub.sent).toBe(2 + 300_000);
});

test("what an interrupted run left is taken up; if it is wrong it is fetched again", async () => {
  await ask();
  const [digest] = (await blobs()).filter((name) => name.length === 64);
  cache = await temporaryFolder();
  const { mkdir } = await import("node:fs/promises");
  await mkdir(join(cache, "models--org--tiny/blobs"), { recursive: true });
  await writeFile(join(cache, `models--org--tiny/blobs/${digest}.incomplete`), Buffer.alloc(200_000));
  hub.sent = 0;
  const found = await ask();
  expect(new Uint8Array(await readFile(found.blob(found.files[1]!)))).toEqual(noise);
  expect(hub.sent).toBe(2 + 100_000 + 300_000);
  expect(await blobs()).toHaveLength(2);
});

test("without a connection: a cached branch is used, anything else says what to do", async () => {
  await hub.close();
  await expect(ask()).rejects.toMatchObject({
    code: "hub-unreachable",
    message: "org/tiny is not in the cache, and the hub cannot be asked for it: ECONNREFUSED",
    help: expect.stringContaining('local("folder")'),
  });
  hub = await fakeHub(commit, files);
  await ask();
  await hub.close();
  expect((await ask()).commit).toBe(commit);
  expect((await ask({ offline: true })).commit).toBe(commit);
  await expect(ask({ offline: true }, "v2")).rejects.toThrow("HF_HUB_OFFLINE is set");
});

test.each([
  [401, undefined, "a gated or private model needs HF_TOKEN"],
  [403, "hf_x", "accept the model's terms"],
  [404, undefined, "check the spelling"],
  [503, undefined, "try again later"],
])("status %d is explained", async (status, token, help) => {
  hub.status = status;
  const problem = await ask(token ? { token } : {}).then(
    () => undefined,
    (error) => error,
  );
  expect(problem).toMatchObject({ name: "TaskError", help: expect.stringContaining(help) });
  expect(JSON.stringify(problem)).not.toContain("hf_x");
});

test("the token of the environment opens a gated model; one of another kind is refused without being shown", async () => {
  hub.token = "hf_secret";
  await expect(ask()).rejects.toMatchObject({ code: "hub-refused" });
  expect((await ask({ token: "hf_secret" })).commit).toBe(commit);
  await expect(ask({ token: "sk-secret" })).rejects.toThrow(/^HF_TOKEN is not a token of the hub/);
});

test("names and revisions that lead out of the cache are refused, also those that the hub gives", async () => {
  for (const [repo, revision] of [
    ["../x", "main"],
    ["org/tiny", "../x"],
    ["org/tiny", "refs/../../x"],
    ["org", "main"],
  ]) {
    expect(hf.validate({ repo: repo!, revision: revision! })).toHaveLength(1);
  }
  expect(hf.validate({ repo: "org/tiny", revision: "refs/pr/1" })).toEqual([]);
  await hub.close();
  hub = await fakeHub("../../elsewhere", files);
  await expect(ask()).rejects.toThrow("the hub gives no commit of org/tiny main");
});

test("a record of the cache that is damaged is not believed", async () => {
  await ask();
  await writeFile(join(cache, "models--org--tiny/.align", `${commit}.json`), "[{");
  hub.requests.length = 0;
  expect((await ask({}, commit)).files).toHaveLength(2);
  expect(hub.requests).toHaveLength(2);
});

test("a model without safetensors is refused", async () => {
  await hub.close();
  hub = await fakeHub(commit, new Map([["config.json", Buffer.from("{}")]]));
  await expect(ask()).rejects.toMatchObject({ code: "no-safetensors" });
});

test("the environment says where the hub and its cache are", () => {
  expect(hubSettings({ HF_HOME: "/h" })).toEqual({ cache: "/h/hub", offline: false });
  expect(
    hubSettings({ HF_ENDPOINT: "http://mirror/", HF_TOKEN: "hf_t", HF_HUB_CACHE: "/c", HF_HUB_OFFLINE: "1" }),
  ).toEqual({ url: "http://mirror", token: "hf_t", cache: "/c", offline: true });
});

test("the artifact holds the files and where they are from; a branch and its commit give the same one", async () => {
  const data = await datasetOf([{ text: "low low lower lowest" }]);
  const made = await runWith(tokenizer, { vocab_size: 262 }, { inputs: { data } });
  const model = await runWith(
    decoder,
    { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 16 },
    { inputs: { tokenizer: made.dir } },
  );
  const parts = await Promise.all(
    (await readdir(model.dir)).map(async (name) => [name, await readFile(join(model.dir, name))] as const),
  );
  await hub.close();
  hub = await fakeHub(commit, new Map(parts));
  const before = { ...process.env };
  Object.assign(process.env, { HF_ENDPOINT: hub.url, HF_HUB_CACHE: cache, HF_TOKEN: "hf_secret" });
  try {
    const branch = await runWith(hf, { repo: "org/tiny" });
    const pinned = await runWith(hf, { repo: "org/tiny", revision: commit });
    expect(branch.metrics).toEqual(model.metrics);
    expect(branch.summary).toBe(`org/tiny, revision: "${commit}"\n`);
    expect({ ...pinned, dir: "" }).toEqual({ ...branch, dir: "" });
    const names = await readdir(branch.dir);
    expect(names).toEqual([...parts.map(([name]) => name), "source.json"].sort());
    for (const name of names) {
      const bytes = await readFile(join(branch.dir, name));
      expect(await readFile(join(pinned.dir, name))).toEqual(bytes);
      expect(bytes.includes("hf_secret")).toBe(false);
    }
  } finally {
    process.env = before;
  }
});
